import HTTPTypes
import NIOHTTP1
import RequestSigning
import TestSupport
import Tracing

@testable import ServiceClient

/// A client of the ledger with keys of its own, and the ledger's check of what it signs.
struct ClientFixture {
    static let unixMilliseconds: Int64 = 1_790_000_000_500

    let verifier: RequestVerifier
    private let signer: RequestSigner

    init() throws {
        var generator = SystemRandomNumberGenerator()
        let now = Self.unixMilliseconds / 1_000
        let keys = try SigningKeyGenerator.generate(pairs: [.init(caller: "mobile-bff", callee: "wallet-ledger")], now: now, using: &generator)
        let mobile = keys.first { $0.service == "mobile-bff" }!
        let ledger = keys.first { $0.service == "wallet-ledger" }!
        signer = RequestSigner(keys: SigningKeyStore(keys: mobile), callee: "wallet-ledger")
        verifier = RequestVerifier(
            keys: SigningKeyStore(keys: ledger), replayWindow: InProcessReplayWindow(startedAt: now - 1_000, capacity: 1_000))
    }

    /// A client without jitter, so that a test knows how long a pause is.
    func client(
        port: Int, origin: String = "http://127.0.0.1", connections: ServiceConnections, tryTimeout: Duration = .seconds(20),
        admission: CalleeAdmission? = nil, tracer: (any Tracer)? = nil
    ) throws -> ServiceClient {
        ServiceClient(
            callee: "wallet-ledger", address: try ServiceAddress("\(origin):\(port)"), connections: connections, signer: signer,
            retries: RetryPolicy(tryTimeout: tryTimeout, jitter: { _ in .zero }), admission: admission, tracer: tracer,
            unixMilliseconds: { Self.unixMilliseconds })
    }

    /// A client whose callee no key is for.
    func keylessClient(port: Int, connections: ServiceConnections) throws -> ServiceClient {
        let keys = try SigningKeys(service: "mobile-bff", outbound: [], inbound: [])
        return ServiceClient(
            callee: "wallet-ledger", address: try ServiceAddress("http://127.0.0.1:\(port)"), connections: connections,
            signer: RequestSigner(keys: SigningKeyStore(keys: keys), callee: "wallet-ledger"), unixMilliseconds: { Self.unixMilliseconds })
    }

    /// What the ledger would say to a request that has arrived.
    func check(_ received: ScriptedServer.Received) async throws {
        var fields = HTTPFields()
        for (name, value) in received.headers { fields.append(HTTPField(name: HTTPField.Name(name)!, value: value)) }
        let request = SignableRequest(
            method: received.method, authority: received.headers["host"].first ?? "", target: received.target, headerFields: fields)
        let now = Self.unixMilliseconds / 1_000
        let caller = try verifier.verifyHead(request, now: now, isRouteOpenTo: { $0 == "mobile-bff" })
        try verifier.verifyBody(caller, body: received.body)
        try await verifier.admitNonce(caller, isRepeatable: false, now: now)
    }

    static func post(key: String? = "order-1", deadline: Duration = .seconds(60)) -> ServiceRequest {
        ServiceRequest(
            method: "POST", target: "/v1/transfers?dry=1", body: Array(#"{"amount":1250}"#.utf8), deadline: ContinuousClock.now + deadline,
            idempotencyKey: key, authorization: "Bearer a.b.c", traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            requestID: "req-1")
    }

    static func get(deadline: Duration = .seconds(60)) -> ServiceRequest {
        ServiceRequest(method: "GET", target: "/v1/wallets/wal_1", deadline: ContinuousClock.now + deadline)
    }
}
