import StrictJSON
import Testing

@Suite("JSON: writing")
struct JSONWriterTests {
    @Test(
        "a string is escaped where JSON asks for it, and nowhere else",
        arguments: [
            ("plain", #""plain""#), ("a\"b\\c/", #""a\"b\\c/""#), ("\u{0}\n\u{1F}", #""\u0000\u000a\u001f""#), ("é😀\u{7F}", "\"é😀\u{7F}\""),
        ])
    func strings(text: String, written: String) throws {
        var writer = JSONWriter()
        writer.string(text)
        #expect(String(decoding: writer.bytes, as: UTF8.self) == written)
        #expect(try JSONParser.parse(writer.bytes) == .string(text))
    }

    @Test("a number is written whole", arguments: [0, 1, -1, 10, 9_007_199_254_740_991, Int64.max, Int64.min])
    func integers(number: Int64) {
        var writer = JSONWriter()
        writer.integer(number)
        #expect(String(decoding: writer.bytes, as: UTF8.self) == String(number))
    }

    @Test("commas stand between members and items only")
    func commas() {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("a", 1)
            writer.name("b")
            writer.array { writer in
                writer.integer(1)
                writer.object { _ in }
                writer.array { _ in }
            }
            writer.memberNull("c")
            writer.member("d", true)
        }
        #expect(String(decoding: writer.bytes, as: UTF8.self) == #"{"a":1,"b":[1,{},[]],"c":null,"d":true}"#)
    }
}
