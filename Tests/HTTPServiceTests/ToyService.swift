import AccessTokens
import Contracts
import Foundation
import HTTPService
import HTTPTypes
import Logging
import Observability
import RequestSigning
import StrictJSON
import TestSupport

/// ``ToyRoutes`` served by the real server over loopback, with real keys, signatures and tokens; one for all suites.
final class ToyService: Sendable {
    static let userID = "usr_01900000000000000000000000"
    private static let running = Task { try await ToyService() }

    let port: Int
    private let credentials: CallerCredentials
    private let folder: TemporaryFolder

    static func shared() async throws -> ToyService { try await running.value }

    static var now: Int64 { WallClock.microsecondsSinceUnixEpoch() / 1_000_000 }

    private init() async throws {
        folder = try TemporaryFolder("toy-service")
        credentials = try CallerCredentials(
            callee: "toy", pairs: ["api-gateway", "mobile-bff", "ops-risk"].map { .init(caller: $0, callee: "toy") }, folder: folder.path)
        let pipeline = EndpointPipeline(
            // Nothing was signed before this process began.
            verifier: RequestVerifier(
                keys: try SigningKeyStore(path: credentials.keysFile), replayWindow: InProcessReplayWindow(startedAt: Self.now - 60)),
            tokens: AccessTokenVerifier(
                policy: AccessTokenPolicy(issuer: credentials.issuer.issuer, audience: "florin-api"),
                keys: JSONWebKeySet(file: credentials.keySetFile)),
            logger: Logger(label: "toy") { _ in SwiftLogNoOpLogHandler() }, metrics: PrometheusRegistry(), mapError: { _ in nil })
        let (ports, listening) = AsyncStream.makeStream(of: Int.self)
        let server = APIServer(
            host: "127.0.0.1", port: 0, eventLoops: 1, responder: pipeline.responder(of: ToyRoutes().endpoints), metrics: PrometheusRegistry(),
            logger: Logger(label: "toy") { _ in SwiftLogNoOpLogHandler() }, onListening: { listening.yield($0) })
        // Until the process ends.
        Task {
            try? await server.run()
            listening.finish()
        }
        guard let port = await ports.first(where: { _ in true }) else { throw ServedProcess.NotServing(description: "the toy does not listen") }
        self.port = port
    }

    /// A user's token.
    func token(
        scopes: [String] = ["wallet"], authenticationContext: String? = nil, authenticatedAt: Int64? = nil, now: Int64 = ToyService.now
    ) async throws -> String {
        try await credentials.issuer.token(
            for: .user(Self.userID), scopes: scopes, authenticationContext: authenticationContext, authenticatedAt: authenticatedAt, now: now)
    }

    /// Sends a request over a connection of its own and reads until the server closes it.
    func send(_ call: ToyCall) async throws -> ToyAnswer {
        let text = try await HTTPSocket.everything(after: try call.bytes(port: port, signer: call.caller.map(credentials.signer)), port: port)
        return try ToyAnswer(text)
    }
}

/// A request, and who signs it if anybody does.
struct ToyCall: Sendable {
    var method: String
    var target: String
    /// A name may come twice.
    var fields: [(name: String, value: String)] = []
    var body: String?
    var caller: String?
    /// What happens to the body after it has been signed.
    var forgedBody: String?

    init(_ method: String, _ target: String, _ fields: [(String, String)] = [], body: String? = nil, by caller: String? = nil) {
        self.method = method
        self.target = target
        self.fields = fields.map { (name: $0.0, value: $0.1) }
        self.body = body
        self.caller = caller
    }

    static func json(
        _ method: String, _ target: String, _ body: String, _ fields: [(String, String)] = [], by caller: String? = nil
    ) -> ToyCall {
        ToyCall(method, target, [("content-type", "application/json")] + fields, body: body, by: caller)
    }

    static func form(_ target: String, _ body: String, _ fields: [(String, String)] = []) -> ToyCall {
        ToyCall("POST", target, [("content-type", "application/x-www-form-urlencoded")] + fields, body: body)
    }

    func bytes(port: Int, signer: RequestSigner?) throws -> [UInt8] {
        var head = HTTPFields()
        for field in fields { head.append(HTTPField(name: HTTPField.Name(field.name)!, value: field.value)) }
        var request = SignableRequest(method: method, authority: "127.0.0.1:\(port)", target: target, headerFields: head)
        if let signer {
            var random = SystemRandomNumberGenerator()
            try signer.sign(&request, body: body.map { Array($0.utf8) }, created: ToyService.now, nonce: SigningNonce.random(using: &random))
        }
        var text = "\(method) \(target) HTTP/1.1\r\nHost: \(request.authority)\r\nConnection: close\r\n"
        for field in request.headerFields { text += "\(field.name.rawName): \(field.value)\r\n" }
        let sent = forgedBody ?? body
        if let sent { text += "Content-Length: \(sent.utf8.count)\r\n" }
        return Array((text + "\r\n" + (sent ?? "")).utf8)
    }
}

/// An answer as it stood on the wire.
struct ToyAnswer: Sendable {
    struct NoAnswer: Error {
        let text: String
    }

    let status: Int
    /// Names in lower case, in the order in which they came.
    let fields: [(name: String, value: String)]
    let body: String

    init(_ text: String) throws {
        guard let end = text.range(of: "\r\n\r\n") else { throw NoAnswer(text: text) }
        let lines = text[..<end.lowerBound].components(separatedBy: "\r\n")
        guard let status = lines[0].split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else { throw NoAnswer(text: text) }
        self.status = status
        fields = lines.dropFirst().map { line in
            let parts = line.split(separator: ":", maxSplits: 1)
            return (name: parts[0].lowercased(), value: parts.count == 2 ? parts[1].trimmingCharacters(in: .whitespaces) : "")
        }
        body = String(text[end.upperBound...])
    }

    func values(_ name: String) -> [String] { fields.filter { $0.name == name }.map(\.value) }

    var json: JSONValue { (try? JSONParser.parse(Array(body.utf8))) ?? .null }
    var text: String? { json["text"]?.stringValue }
    var code: String? { json["code"]?.stringValue }
    var challenges: [String] { values("www-authenticate") }
}
