import Crypto
import Foundation
import RequestSigning
import Testing

@Suite("Signature base")
struct SignatureBaseTests {
    @Test("RFC 9421 B.2.5: the base and the hmac-sha256 code are the RFC's")
    func rfcVector() throws {
        var base = SignatureBase()
        let appended = [
            base.append("date", value: "Tue, 20 Apr 2021 02:07:55 GMT"), base.append("@authority", value: "example.com"),
            base.append("content-type", value: "application/json"),
        ]
        #expect(appended == [true, true, true])
        base.close(parameters: #";created=1618884473;keyid="test-shared-secret""#.utf8)
        let expected = """
            "date": Tue, 20 Apr 2021 02:07:55 GMT
            "@authority": example.com
            "content-type": application/json
            "@signature-params": ("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"
            """
        #expect(String(decoding: base.bytes, as: UTF8.self) == expected)

        let secret = "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ=="
        let key = SigningKey(
            keyID: "test-shared-secret", secret: SymmetricKey(data: try #require(Data(base64Encoded: secret))), notBefore: 0, notAfter: nil)
        #expect(Data(key.code(over: base)).base64EncodedString() == "pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=")
    }

    @Test(
        "a value without one serialisation is refused",
        arguments: ["a\nb", "a\rb", "a\tb", "\u{0}", "\u{7f}", "é", " leading", "trailing ", " "])
    func unserialisableValue(value: String) {
        var base = SignatureBase()
        let appended = base.append("x", value: value)
        #expect(!appended)
    }

    @Test("an empty value and inner spaces are kept", arguments: ["", "a  b", "~!"])
    func plainValue(value: String) {
        var base = SignatureBase()
        let appended = base.append("x", value: value)
        #expect(appended)
        #expect(String(decoding: base.bytes, as: UTF8.self) == "\"x\": \(value)\n")
    }
}
