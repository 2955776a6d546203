import Crypto
import Foundation
import HTTPTypes
import RequestSigning

/// A fleet of three services, a request of one to another, and the callee's whole check of it.
struct SigningFixture {
    static let now: Int64 = 1_790_000_000
    static let body = Array(#"{"amount":1250,"currency":"EUR"}"#.utf8)
    /// The fields that must be covered when they are present, with a value for each, in the profile's order.
    static let optionalFields: [(name: HTTPField.Name, value: String)] = [
        (.authorization, "Bearer eyJhbGciOiJFUzI1NiJ9.e30.c2ln"), (HTTPField.Name("idempotency-key")!, "order-4711"),
        (HTTPField.Name("traceparent")!, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
        (HTTPField.Name("x-request-id")!, "req-1"), (HTTPField.Name("florin-deadline")!, "2026-09-21T14:13:22.000Z"),
        (HTTPField.Name("florin-client")!, "203.0.113.7"),
    ]

    static let mobileKey = key("mobile-bff.wallet-ledger.1", 1)
    static let gatewayKey = key("api-gateway.wallet-ledger.1", 2)
    static let tomorrowsKey = SigningKey(
        keyID: "mobile-bff.wallet-ledger.2", secret: secret(3), notBefore: now + 86_400, notAfter: nil)
    static let yesterdaysKey = SigningKey(
        keyID: "api-gateway.wallet-ledger.0", secret: secret(4), notBefore: now - 86_400, notAfter: now)

    let window: InProcessReplayWindow
    let verifier: RequestVerifier
    let signer: RequestSigner

    init(capacity: Int = 1_000, windowStart: Int64 = SigningFixture.now - 1_000) throws {
        let ledger = try SigningKeys(
            service: "wallet-ledger", outbound: [],
            inbound: [
                .init(caller: "mobile-bff", key: Self.mobileKey), .init(caller: "api-gateway", key: Self.gatewayKey),
                .init(caller: "mobile-bff", key: Self.tomorrowsKey), .init(caller: "api-gateway", key: Self.yesterdaysKey),
            ])
        let mobile = try SigningKeys(service: "mobile-bff", outbound: [.init(callee: "wallet-ledger", key: Self.mobileKey)], inbound: [])
        window = InProcessReplayWindow(startedAt: windowStart, capacity: capacity)
        verifier = RequestVerifier(keys: SigningKeyStore(keys: ledger), replayWindow: window)
        signer = RequestSigner(keys: SigningKeyStore(keys: mobile), callee: "wallet-ledger")
    }

    static func secret(_ seed: UInt8) -> SymmetricKey {
        SymmetricKey(data: (0..<32).map { UInt8($0) &* 7 &+ seed })
    }

    static func key(_ keyID: String, _ seed: UInt8) -> SigningKey {
        SigningKey(keyID: keyID, secret: secret(seed), notBefore: now - 86_400, notAfter: nil)
    }

    static func request(target: String = "/v1/transfers?dry=1", withBody: Bool = true, allFields: Bool = true) -> SignableRequest {
        var fields = HTTPFields()
        fields[.accept] = "application/json"
        if withBody {
            fields[.contentType] = "application/json"
            fields[.contentLength] = String(body.count)
        }
        if allFields {
            for field in optionalFields { fields[field.name] = field.value }
        }
        return SignableRequest(method: withBody ? "POST" : "GET", authority: "127.0.0.1:8103", target: target, headerFields: fields)
    }

    /// A signed POST with every field that can be covered.
    func signedRequest(nonce: String = "nonce-1", created: Int64 = SigningFixture.now) throws -> SignableRequest {
        var request = Self.request()
        try signer.sign(&request, body: Self.body, created: created, nonce: nonce)
        return request
    }

    /// What the callee's middleware does, in its order.
    func check(
        _ request: SignableRequest, body: [UInt8] = SigningFixture.body, now: Int64 = SigningFixture.now,
        isRouteOpenTo: (String) -> Bool = { $0 == "mobile-bff" }
    ) throws(SignatureRejection) -> VerifiedCaller {
        let caller = try verifier.verifyHead(request, now: now, isRouteOpenTo: isRouteOpenTo)
        try verifier.verifyBody(caller, body: body)
        try window.admit(caller, now: now)
        return caller
    }

    /// The refusal, or nil when the request passes.
    func refusal(
        of request: SignableRequest, body: [UInt8] = SigningFixture.body, now: Int64 = SigningFixture.now,
        isRouteOpenTo: (String) -> Bool = { $0 == "mobile-bff" }
    ) -> SignatureRejection? {
        do throws(SignatureRejection) {
            _ = try check(request, body: body, now: now, isRouteOpenTo: isRouteOpenTo)
            return nil
        } catch {
            return error
        }
    }
}
