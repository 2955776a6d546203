import Foundation
import HTTPTypes
import RequestSigning
import Testing

/// One way to change a valid request, and the refusal it gets.
struct Tampering: Sendable, CustomTestStringConvertible {
    let name: String
    let refusal: SignatureRejection
    var body = SigningFixture.body
    let change: @Sendable (inout SignableRequest) -> Void

    init(
        _ name: String, _ refusal: SignatureRejection, body: [UInt8] = SigningFixture.body,
        change: @escaping @Sendable (inout SignableRequest) -> Void
    ) {
        self.name = name
        self.refusal = refusal
        self.body = body
        self.change = change
    }

    /// Signed anew, correctly, but in another shape.
    static func signed(_ name: String, _ refusal: SignatureRejection, _ change: @escaping @Sendable (inout ReferenceSigner) -> Void) -> Self {
        Tampering(name, refusal) { request in
            var signer = ReferenceSigner()
            change(&signer)
            request = signer.sign(SigningFixture.request())
        }
    }

    /// The text of a field replaced.
    static func edit(_ field: String, _ old: String, _ new: String, _ refusal: SignatureRejection) -> Self {
        Tampering("\(field): \(old) becomes \(new)", refusal) { request in
            let name = HTTPField.Name(field)!
            let value = request.headerFields[name]!
            precondition(value.contains(old), "the edit would change nothing")
            request.headerFields[name] = value.replacingOccurrences(of: old, with: new)
        }
    }

    var testDescription: String { name }
}

@Suite("Tampered requests")
struct TamperedRequestTests {
    private static let code = HTTPField.Name("signature")!
    private static let input = HTTPField.Name("signature-input")!
    private static let digest = HTTPField.Name("content-digest")!

    static let parts: [Tampering] = [
        Tampering("method", .invalid(.wrongCode)) { $0.method = "PUT" },
        Tampering("method in lower case", .invalid(.wrongCode)) { $0.method = "post" },
        Tampering("method with a space", .invalid(.method)) { $0.method = "POST " },
        Tampering("no method", .invalid(.method)) { $0.method = "" },
        Tampering("authority", .invalid(.wrongCode)) { $0.authority = "127.0.0.1:8104" },
        Tampering("authority with a final dot", .invalid(.wrongCode)) { $0.authority += "." },
        Tampering("no authority", .invalid(.authority)) { $0.authority = "" },
        Tampering("authority outside ASCII", .invalid(.authority)) { $0.authority = "lédger" },
        Tampering("path", .invalid(.wrongCode)) { $0.target = "/v1/transfer?dry=1" },
        Tampering("path percent-encoded", .invalid(.wrongCode)) { $0.target = "/v1/%74ransfers?dry=1" },
        Tampering("path with a dot segment", .invalid(.wrongCode)) { $0.target = "/v1/./transfers?dry=1" },
        Tampering("path outside ASCII", .invalid(.target)) { $0.target = "/v1/tränsfers?dry=1" },
        Tampering("absolute target", .invalid(.target)) { $0.target = "http://127.0.0.1:8103/v1/transfers?dry=1" },
        Tampering("target with a fragment", .invalid(.target)) { $0.target += "#x" },
        Tampering("target with a line break", .invalid(.target)) { $0.target += "\n" },
        Tampering("query", .invalid(.wrongCode)) { $0.target = "/v1/transfers?dry=0" },
        Tampering("query removed", .invalid(.wrongCode)) { $0.target = "/v1/transfers" },
        Tampering("query added to", .invalid(.wrongCode)) { $0.target += "&x=1" },
        Tampering("a byte of the body", .digestMismatch, body: Array(#"{"amount":9250,"currency":"EUR"}"#.utf8)) { _ in },
        Tampering("the body cut off", .digestMismatch, body: SigningFixture.body.dropLast()) { _ in },
        Tampering("the body removed", .digestMismatch, body: []) { _ in },
        Tampering("body and digest", .invalid(.wrongCode), body: [1]) { request in
            request = ReferenceSigner().sign(request, body: [1]).keepingSignature(of: request)
        },
        Tampering("digest removed", .invalid(.contentDigestMissing)) { $0.headerFields[digest] = nil },
        Tampering("digest removed with the length", .invalid(.coveredComponents)) {
            $0.headerFields[digest] = nil
            $0.headerFields[.contentLength] = nil
        },
        Tampering("digest removed, body chunked", .invalid(.contentDigestMissing)) {
            $0.headerFields[digest] = nil
            $0.headerFields[.contentLength] = nil
            $0.headerFields[.transferEncoding] = "chunked"
        },
        Tampering("digest twice", .invalid(.duplicateField)) { $0.headerFields.append($0.headerFields[fields: digest][0]) },
        Tampering("content type", .invalid(.wrongCode)) { $0.headerFields[.contentType] = "application/xml" },
        Tampering("content type removed", .invalid(.contentTypeMissing)) { $0.headerFields[.contentType] = nil },
        Tampering("content type twice", .invalid(.duplicateField)) {
            $0.headerFields.append(HTTPField(name: .contentType, value: "application/json"))
        },
        .edit("content-digest", "sha-256", "sha-512", .invalid(.contentDigestShape)),
        .edit("content-digest", "sha-256=", "sha-256= ", .invalid(.contentDigestShape)),
        .edit("content-digest", "sha-256=", "md5=:AAAA:, sha-256=", .invalid(.contentDigestShape)),
        .edit("content-digest", "=:", ":", .invalid(.contentDigestShape)),
    ]

    static let coveredFields: [Tampering] = SigningFixture.optionalFields.flatMap { field -> [Tampering] in
        let name = field.name
        return [
            Tampering("\(name) altered", .invalid(.wrongCode)) { $0.headerFields[name] = field.value + "x" },
            Tampering("\(name) removed", .invalid(.coveredComponents)) { $0.headerFields[name] = nil },
            Tampering("\(name) twice", .invalid(.duplicateField)) { $0.headerFields.append(HTTPField(name: name, value: field.value)) },
            Tampering("\(name) twice, spelled in upper case", .invalid(.duplicateField)) {
                $0.headerFields.append(HTTPField(name: HTTPField.Name(name.rawName.uppercased())!, value: "x"))
            },
            Tampering("\(name) emptied", .invalid(.wrongCode)) { $0.headerFields[name] = "" },
            Tampering("\(name) with a control character", .invalid(.fieldValue)) {
                $0.headerFields[name] = nil
                $0.headerFields.append(HTTPField(name: name, lenientValue: Array(field.value.utf8) + [1]))
            },
            Tampering("\(name) with a tab", .invalid(.fieldValue)) { $0.headerFields[name] = field.value + "\tx" },
            Tampering("\(name) outside ASCII", .invalid(.fieldValue)) { $0.headerFields[name] = field.value + "é" },
            Tampering("\(name) folded over two lines", .invalid(.wrongCode)) { $0.headerFields[name] = field.value + "\r\n folded" },
            Tampering("\(name) added to a signature without it", .invalid(.coveredComponents)) { request in
                var bare = SigningFixture.request()
                bare.headerFields[name] = nil
                var signer = ReferenceSigner()
                signer.covered.removeAll { $0 == name.canonicalName }
                request = signer.sign(bare)
                request.headerFields[name] = field.value
            },
            .signed("\(name) present but not covered", .invalid(.coveredComponents)) {
                $0.covered.removeAll { $0 == name.canonicalName }
            },
        ]
    }

    static let signatures: [Tampering] = [
        Tampering("no signature", .missing) {
            $0.headerFields[code] = nil
            $0.headerFields[input] = nil
        },
        Tampering("no Signature", .missing) { $0.headerFields[code] = nil },
        Tampering("no Signature-Input", .missing) { $0.headerFields[input] = nil },
        Tampering("Signature twice", .invalid(.duplicateField)) { $0.headerFields.append($0.headerFields[fields: code][0]) },
        Tampering("Signature-Input twice", .invalid(.duplicateField)) { $0.headerFields.append($0.headerFields[fields: input][0]) },
        Tampering("a second signature", .invalid(.parameters)) {
            $0.headerFields[input]! += #", other=("@method");created=1;tag="other""#
            $0.headerFields[code]! += ", other=:AAAA:"
        },
        Tampering("a second signature in front", .invalid(.coveredComponents)) {
            $0.headerFields[input] = #"other=("@method");created=1, "# + $0.headerFields[input]!
        },
        Tampering("a second code", .invalid(.signatureShape)) { $0.headerFields[code]! += ", other=:AAAA:" },
        .signed("another label in Signature only", .invalid(.signatureShape)) { $0.signatureLabel = "sig1" },
        .signed("a longer label in Signature only", .invalid(.signatureShape)) { $0.signatureLabel = "florin1" },
        .signed("another label of that length in Signature only", .invalid(.signatureShape)) { $0.signatureLabel = "florix" },
        .signed("no label", .invalid(.coveredComponents)) { $0.label = "" },
        .signed("a label that begins with a digit", .invalid(.coveredComponents)) { $0.label = "1sig" },
        .signed("a label in upper case", .invalid(.coveredComponents)) { $0.label = "Sig" },
        .signed("a label with a space", .invalid(.coveredComponents)) { $0.label = "a b" },
        .signed("a label of 65 characters", .invalid(.coveredComponents)) { $0.label = String(repeating: "l", count: 65) },
        .signed("another tag", .invalid(.parameters)) { $0.tag = "florin-internal-2" },
        .signed("no tag", .invalid(.parameters)) {
            $0.parameters = $0.parameterText.replacingOccurrences(of: #";tag="florin-internal-1""#, with: "")
        },
        .signed("no nonce", .invalid(.parameters)) { $0.parameters = $0.parameterText.replacingOccurrences(of: #";nonce="nonce-1""#, with: "") },
        .signed("an empty nonce", .invalid(.parameters)) { $0.nonce = "" },
        .signed("a nonce of 129 characters", .invalid(.parameters)) { $0.nonce = String(repeating: "n", count: 129) },
        .signed("a nonce with an escape", .invalid(.parameters)) { $0.nonce = #"a\"b"# },
        .signed("no created", .invalid(.parameters)) {
            $0.parameters = $0.parameterText.replacingOccurrences(of: ";created=\($0.created)", with: "")
        },
        .signed("no expires", .invalid(.parameters)) {
            $0.parameters = $0.parameterText.replacingOccurrences(of: ";expires=\($0.expires)", with: "")
        },
        .signed("no key id", .invalid(.parameters)) {
            $0.parameters = $0.parameterText.replacingOccurrences(of: ";keyid=\"\($0.key.keyID)\"", with: "")
        },
        .signed("alg added", .invalid(.parameters)) { $0.parameters = $0.parameterText + #";alg="hmac-sha256""# },
        .signed("alg none", .invalid(.parameters)) { $0.parameters = #";alg="none""# + $0.parameterText },
        .signed("a parameter twice", .invalid(.parameters)) { $0.parameters = ";created=1" + $0.parameterText },
        .signed("a tag twice", .invalid(.parameters)) { $0.parameters = $0.parameterText + #";tag="florin-internal-1""# },
        .signed("a nonce twice", .invalid(.parameters)) { $0.parameters = $0.parameterText + #";nonce="other""# },
        .signed("created as a decimal", .invalid(.parameters)) {
            $0.parameters = $0.parameterText.replacingOccurrences(of: "\($0.created);", with: "\($0.created).0;")
        },
        .signed("created with a leading zero", .invalid(.parameters)) {
            $0.parameters = $0.parameterText.replacingOccurrences(of: "created=", with: "created=0")
        },
        .signed("created negative", .invalid(.parameters)) { $0.created = -1 },
        .signed("created of 16 digits", .invalid(.parameters)) { $0.created = 1_000_000_000_000_000 },
        .signed("spaces between parameters", .invalid(.parameters)) {
            $0.parameters = $0.parameterText.replacingOccurrences(of: ";expires", with: "; expires")
        },
        .signed("a component not covered", .invalid(.coveredComponents)) { $0.covered.removeAll { $0 == "@query" } },
        .signed("a component twice", .invalid(.coveredComponents)) { $0.covered.append("@method") },
        .signed("a component twice in place of another", .invalid(.coveredComponents)) { $0.covered[$0.covered.count - 1] = "authorization" },
        .signed("a component in place of another of its length", .invalid(.coveredComponents)) { $0.covered[3] = "@paths" },
        .edit("signature-input", #""@method" "@authority""#, #""@authority" "@method""#, .invalid(.wrongCode)),
        .edit("signature-input", #""@method" "#, #""@method"  "#, .invalid(.coveredComponents)),
        .edit("signature-input", #"("@method""#, #"("@method";sf"#, .invalid(.coveredComponents)),
        .signed("one component more", .invalid(.coveredComponents)) { $0.covered.append("accept") },
        .signed("no component", .invalid(.coveredComponents)) { $0.covered = [] },
        .signed("signed by an unknown key", .invalid(.unknownKey)) { $0.key = SigningFixture.key("nobody.wallet-ledger.1", 9) },
        .signed("signed by a key of tomorrow", .invalid(.unknownKey)) { $0.key = SigningFixture.tomorrowsKey },
        .signed("signed by a key that ended this second", .invalid(.unknownKey)) { $0.key = SigningFixture.yesterdaysKey },
        .signed("signed by another caller's key", .callerNotAllowed) { $0.key = SigningFixture.gatewayKey },
        .signed("another caller's secret under this caller's key id", .invalid(.wrongCode)) {
            $0.key = SigningKey(keyID: SigningFixture.mobileKey.keyID, secret: SigningFixture.gatewayKey.secret, notBefore: 0, notAfter: nil)
        },
        .edit("signature-input", SigningFixture.mobileKey.keyID, SigningFixture.gatewayKey.keyID, .callerNotAllowed),
        .edit("signature-input", "nonce-1", "nonce-2", .invalid(.wrongCode)),
        .edit("signature-input", "expires=1790000020", "expires=1790000025", .invalid(.wrongCode)),
        .edit("signature-input", "florin-internal-1", "Florin-internal-1", .invalid(.parameters)),
        .edit("signature", "=:", "=", .invalid(.signatureShape)),
        .edit("signature", "=:", "=?", .invalid(.signatureShape)),
    ]

    static let clocks: [Tampering] = [
        .signed("created 11 s in the future", .invalid(.createdInFuture)) {
            $0.created = SigningFixture.now + 11
            $0.expires = SigningFixture.now + 31
        },
        .signed("a lifetime of 31 s", .invalid(.lifetime)) { $0.expires = $0.created + 31 },
        .signed("no lifetime", .invalid(.lifetime)) { $0.expires = $0.created },
        .signed("a lifetime before itself", .invalid(.lifetime)) { $0.expires = $0.created - 1 },
        .signed("expired 10 s ago", .expired) {
            $0.created = SigningFixture.now - 40
            $0.expires = SigningFixture.now - 10
        },
    ]

    @Test("is refused, and leaves the replay window alone", arguments: parts + coveredFields + signatures + clocks)
    func tampered(_ tampering: Tampering) throws {
        let fixture = try SigningFixture()
        var request = try fixture.signedRequest()
        tampering.change(&request)
        #expect(fixture.refusal(of: request, body: tampering.body) == tampering.refusal)
        #expect(fixture.window.count == 0)
    }

    @Test("every single character of the code matters, and it has one spelling")
    func codeCharacters() throws {
        let fixture = try SigningFixture()
        let valid = try fixture.signedRequest()
        let text = Array(try #require(valid.headerFields[Self.code]).utf8)
        for index in text.indices {
            var changed = text
            changed[index] = changed[index] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            var request = valid
            request.headerFields[Self.code] = String(decoding: changed, as: UTF8.self)
            let refusal = fixture.refusal(of: request)
            #expect(refusal == .invalid(.wrongCode) || refusal == .invalid(.signatureShape))
        }
        let base64 = String(decoding: text[8..<52], as: UTF8.self)
        let (head, tail) = (base64.dropFirst(), base64.dropLast())
        let spellings: [String] = [
            String(tail), "\(base64)=", "\(base64)\n", " \(base64)", "\(base64.dropLast(4))", "\(base64.dropFirst(4))", "", "\(tail)A",
            "\(tail.dropLast())==", "-\(head)", "_\(head)", "\(base64):",
            // The two bits that the last character leaves over, set.
            "\(tail.dropLast())\(UnicodeScalar(text[50] + 1))=",
        ]
        for spelling in spellings {
            var request = valid
            request.headerFields[Self.code] = "florin=:\(spelling):"
            #expect(fixture.refusal(of: request) == .invalid(.signatureShape), "\(spelling)")
        }
        #expect(fixture.window.count == 0)
    }

    @Test("every single character of Signature-Input matters")
    func inputCharacters() throws {
        let fixture = try SigningFixture()
        let valid = try fixture.signedRequest()
        let text = Array(try #require(valid.headerFields[Self.input]).utf8)
        for index in text.indices {
            for replacement in [UInt8(ascii: "0"), UInt8(ascii: "x"), UInt8(ascii: "\"")] where text[index] != replacement {
                var changed = text
                changed[index] = replacement
                var request = valid
                request.headerFields[Self.input] = String(decoding: changed, as: UTF8.self)
                #expect(fixture.refusal(of: request) != nil)
            }
            var request = valid
            request.headerFields[Self.input] = String(decoding: text[..<index], as: UTF8.self)
            #expect(fixture.refusal(of: request) != nil)
        }
        #expect(fixture.refusal(of: valid) == nil)
    }

    @Test("a body that arrives though none was signed is refused")
    func unannouncedBody() throws {
        let fixture = try SigningFixture()
        var request = SigningFixture.request(withBody: false)
        try fixture.signer.sign(&request, body: nil, created: SigningFixture.now, nonce: "n")
        #expect(fixture.refusal(of: request, body: [1]) == .invalid(.contentDigestMissing))
        #expect(fixture.refusal(of: request, body: []) == nil)
    }

    @Test(
        "the edges of the clock check are inside",
        arguments: [(10, 30, 0), (0, 1, 0), (-39, -9, 0), (-20, 10, 0), (0, 20, 29)] as [(Int64, Int64, Int64)])
    func clockEdges(created: Int64, expires: Int64, later: Int64) throws {
        let fixture = try SigningFixture()
        var signer = ReferenceSigner()
        signer.created = SigningFixture.now + created
        signer.expires = SigningFixture.now + expires
        #expect(fixture.refusal(of: signer.sign(SigningFixture.request()), now: SigningFixture.now + later) == nil)
    }
}

extension SignableRequest {
    fileprivate func keepingSignature(of other: SignableRequest) -> SignableRequest {
        var copy = self
        for name in ["signature", "signature-input"].map({ HTTPField.Name($0)! }) { copy.headerFields[name] = other.headerFields[name] }
        return copy
    }
}
