import Foundation
import HTTPTypes
import RequestSigning
import Testing

@Suite("Signing and verifying")
struct RoundTripTests {
    @Test(
        "a signed request is accepted as its caller's",
        arguments: ["/v1/transfers", "/v1/transfers?dry=1", "/v1/transfers?", "/?a=b?c=%2F", "/"], [true, false])
    func roundTrip(target: String, withBody: Bool) throws {
        for allFields in [true, false] {
            let fixture = try SigningFixture()
            var request = SigningFixture.request(target: target, withBody: withBody, allFields: allFields)
            try fixture.signer.sign(&request, body: withBody ? SigningFixture.body : nil, created: SigningFixture.now, nonce: "n")
            let caller = try fixture.check(request, body: withBody ? SigningFixture.body : [])
            #expect(caller.caller == "mobile-bff")
            #expect(caller.keyID == SigningFixture.mobileKey.keyID)
            #expect(caller.nonce == "n")
            #expect(caller.created == SigningFixture.now)
            #expect(caller.expires == SigningFixture.now + 20)
            #expect(caller.hasBody == withBody)
            #expect(fixture.window.count == 1)
        }
    }

    @Test("what the signer writes is exactly what the reference writes")
    func sameAsReference() throws {
        let signed = try SigningFixture().signedRequest()
        let reference = ReferenceSigner().sign(SigningFixture.request())
        for name in ["content-digest", "signature-input", "signature"].map({ HTTPField.Name($0)! }) {
            #expect(signed.headerFields[values: name] == reference.headerFields[values: name])
            #expect(signed.headerFields[values: name].count == 1)
        }
    }

    @Test("any label is accepted", arguments: ["sig1", "s", "*", "a-b_c.d*9", String(repeating: "l", count: 64)])
    func labels(label: String) throws {
        let fixture = try SigningFixture()
        var signer = ReferenceSigner()
        signer.label = label
        #expect(fixture.refusal(of: signer.sign(SigningFixture.request())) == nil)
    }

    @Test("components and parameters are accepted in any order")
    func orders() throws {
        var parts = ReferenceSigner().parameterText.split(separator: ";").map { ";\($0)" }
        for turn in 0..<ReferenceSigner().covered.count {
            let fixture = try SigningFixture()
            var signer = ReferenceSigner()
            signer.covered = Array(signer.covered[turn...] + signer.covered[..<turn].reversed())
            parts.swapAt(turn % parts.count, (turn * 2 + 1) % parts.count)
            signer.parameters = parts.joined()
            let request = signer.sign(SigningFixture.request())
            let caller = try fixture.check(request)
            #expect(caller.nonce == "nonce-1" && caller.created == SigningFixture.now && caller.expires == SigningFixture.now + 20)
            #expect(fixture.refusal(of: request) == .replayed, "another order is not another nonce")
        }
    }

    @Test("an upper-case authority is the same authority")
    func authorityCase() throws {
        let fixture = try SigningFixture()
        var request = SigningFixture.request()
        request.authority = "Ledger.Local:8103"
        try fixture.signer.sign(&request, body: SigningFixture.body, created: SigningFixture.now, nonce: "n")
        request.authority = "ledger.local:8103"
        #expect(fixture.refusal(of: request) == nil)
    }

    @Test("a signed empty body must be empty")
    func emptyBody() throws {
        let fixture = try SigningFixture()
        var request = SigningFixture.request()
        request.headerFields[.contentLength] = "0"
        try fixture.signer.sign(&request, body: [], created: SigningFixture.now, nonce: "n")
        #expect(fixture.refusal(of: request, body: [1]) == .digestMismatch)
        #expect(fixture.refusal(of: request, body: []) == nil)
    }

    @Test("signing again replaces the earlier signature and a body's digest")
    func signedAgain() throws {
        let fixture = try SigningFixture()
        var request = try fixture.signedRequest(nonce: "first")
        #expect(fixture.refusal(of: request) == nil)
        try fixture.signer.sign(&request, body: SigningFixture.body, created: SigningFixture.now + 1, nonce: "second")
        #expect(fixture.refusal(of: request, now: SigningFixture.now + 1) == nil)
        request.headerFields[.contentLength] = nil
        try fixture.signer.sign(&request, body: nil, created: SigningFixture.now + 2, nonce: "third")
        #expect(request.headerFields[HTTPField.Name("content-digest")!] == nil)
        #expect(fixture.refusal(of: request, body: [], now: SigningFixture.now + 2) == nil)
    }

    @Test("random nonces are 22 plain characters and differ")
    func randomNonce() throws {
        let fixture = try SigningFixture()
        var nonces: Set<String> = []
        for _ in 0..<100 {
            var request = SigningFixture.request()
            try fixture.signer.sign(&request, body: SigningFixture.body, created: SigningFixture.now)
            nonces.insert(try fixture.check(request).nonce)
        }
        #expect(nonces.count == 100)
        #expect(nonces.allSatisfy { $0.utf8.count == 22 })
    }

    @Test("a request that no callee would accept is not signed")
    func unsignable() throws {
        let fixture = try SigningFixture()
        func failure(_ change: (inout SignableRequest) -> Void, body: [UInt8]? = SigningFixture.body, nonce: String = "n") -> RequestSigner.Failure? {
            var request = SigningFixture.request()
            change(&request)
            do throws(RequestSigner.Failure) {
                try fixture.signer.sign(&request, body: body, created: SigningFixture.now, nonce: nonce)
                return nil
            } catch {
                return error
            }
        }
        let outcomes: [(RequestSigner.Failure?, RequestSigner.Failure)] = [
            (failure { $0.headerFields[.contentType] = nil }, .unsignable(.contentTypeMissing)),
            (failure({ _ in }, body: nil), .unsignable(.contentDigestMissing)),
            (failure { $0.target = "http://127.0.0.1/v1" }, .unsignable(.target)),
            (failure { $0.authority = "" }, .unsignable(.authority)),
            (failure { $0.method = "" }, .unsignable(.method)),
            (failure { $0.headerFields.append(HTTPField(name: .authorization, value: "Bearer x")) }, .unsignable(.duplicateField)),
            (failure({ _ in }, nonce: ""), .nonce),
            (failure({ _ in }, nonce: #"a"b"#), .nonce),
            (failure({ _ in }, nonce: String(repeating: "n", count: 129)), .nonce),
        ]
        for (outcome, expected) in outcomes { #expect(outcome == expected) }
        let elsewhere = RequestSigner(
            keys: SigningKeyStore(keys: try SigningKeys(service: "mobile-bff", outbound: [], inbound: [])), callee: "identity")
        var request = SigningFixture.request()
        #expect(throws: RequestSigner.Failure.noKey(callee: "identity")) {
            try elsewhere.sign(&request, body: SigningFixture.body, created: SigningFixture.now, nonce: "n")
        }
    }
}
