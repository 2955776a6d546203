import HTTPTypes
import RequestSigning
import Testing

@Suite("Order of the checks")
struct CheckOrderTests {
    private func breakCode(_ request: inout SignableRequest) {
        request.headerFields[HTTPField.Name("signature")!] = "florin=:\(String(repeating: "A", count: 43))=:"
    }

    @Test("shape before key: an unknown key is not looked for in a malformed request")
    func shapeBeforeKey() throws {
        let fixture = try SigningFixture()
        var signer = ReferenceSigner()
        signer.key = SigningFixture.key("nobody", 9)
        signer.tag = "other"
        #expect(fixture.refusal(of: signer.sign(SigningFixture.request())) == .invalid(.parameters))
    }

    @Test("key before route: the route is asked about only for a known key")
    func keyBeforeRoute() throws {
        let fixture = try SigningFixture()
        var signer = ReferenceSigner()
        signer.key = SigningFixture.key("nobody", 9)
        var asked = 0
        let refusal = fixture.refusal(of: signer.sign(SigningFixture.request())) { _ in
            asked += 1
            return false
        }
        #expect(refusal == .invalid(.unknownKey))
        #expect(asked == 0)
    }

    @Test("route before code: a caller that may not use the route is told so even with a wrong code")
    func routeBeforeCode() throws {
        let fixture = try SigningFixture()
        var request = try fixture.signedRequest()
        breakCode(&request)
        #expect(fixture.refusal(of: request) { _ in false } == .callerNotAllowed)
        #expect(fixture.refusal(of: request) { _ in true } == .invalid(.wrongCode))
    }

    @Test("code before clock: a forger learns nothing about the clock")
    func codeBeforeClock() throws {
        let fixture = try SigningFixture()
        var request = try fixture.signedRequest(created: SigningFixture.now - 500)
        #expect(fixture.refusal(of: request) == .expired)
        breakCode(&request)
        #expect(fixture.refusal(of: request) == .invalid(.wrongCode))
    }

    @Test("clock before body, body before nonce")
    func clockBodyNonce() throws {
        let fixture = try SigningFixture()
        let request = try fixture.signedRequest()
        #expect(fixture.refusal(of: request, body: [1], now: SigningFixture.now + 30) == .expired)
        #expect(fixture.refusal(of: request, body: [1]) == .digestMismatch)
        #expect(fixture.window.count == 0)
        #expect(fixture.refusal(of: request) == nil)
        #expect(fixture.refusal(of: request, body: [1]) == .digestMismatch)
        #expect(fixture.refusal(of: request) == .replayed)
    }

    @Test(
        "each refusal has its code",
        arguments: [
            (.missing, "signature_missing"), (.invalid(.wrongCode), "signature_invalid"), (.expired, "signature_expired"),
            (.replayed, "signature_replayed"), (.digestMismatch, "digest_mismatch"), (.callerNotAllowed, "caller_not_allowed"),
            (.replayWindowUnavailable, "unavailable"),
        ] as [(SignatureRejection, String)])
    func codes(rejection: SignatureRejection, code: String) {
        #expect(rejection.code == code)
    }
}
