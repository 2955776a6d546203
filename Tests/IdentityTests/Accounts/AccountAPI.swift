import AccessTokens
import Contracts
import Foundation
import HTTPService
import HTTPTypes
import Logging
import Observability
import RequestSigning
import ServiceRuntime
import StrictJSON
import TestSupport

@testable import Identity

/// The routes of accounts served by the real server over loopback, with real signatures and tokens, on a fixture of their own.
final class AccountAPI: Sendable {
    let fixture: AccountFixture
    let port: Int
    private let credentials: CallerCredentials
    private let folder: TemporaryFolder

    var origin: String { "http://127.0.0.1:\(port)" }

    static var now: Int64 { WallClock.microsecondsSinceUnixEpoch() / 1_000_000 }

    /// - Parameter others: Served besides, of the fixture's database.
    init(with others: (AccountFixture) -> [Endpoint] = { _ in [] }) async throws {
        fixture = try await AccountFixture()
        folder = try TemporaryFolder("accounts-http")
        credentials = try CallerCredentials(
            callee: Identity.name, pairs: ["api-gateway", "mobile-bff", "backoffice"].map { .init(caller: $0, callee: Identity.name) },
            folder: folder.path)
        port = try FreePort.any()
        let quiet = Logger(label: "accounts") { _ in SwiftLogNoOpLogHandler() }
        let pipeline = EndpointPipeline(
            // Nothing was signed before this process began.
            verifier: RequestVerifier(
                keys: try SigningKeyStore(path: credentials.keysFile), replayWindow: InProcessReplayWindow(startedAt: Self.now - 60)),
            tokens: AccessTokenVerifier(
                policy: AccessTokenPolicy(issuer: credentials.issuer.issuer, audience: "florin-api"),
                keys: JSONWebKeySet(file: credentials.keySetFile)),
            logger: quiet, metrics: PrometheusRegistry(), mapError: identityProblem)
        let endpoints = try fixture.accounts(issuer: "http://127.0.0.1:\(port)").endpoints + others(fixture)
        let (ports, listening) = AsyncStream.makeStream(of: Int.self)
        let server = APIServer(
            host: "127.0.0.1", port: port, eventLoops: 1, responder: pipeline.responder(of: endpoints), metrics: PrometheusRegistry(),
            logger: quiet, onListening: { listening.yield($0) })
        // Until the process ends.
        Task {
            try? await server.run()
            listening.finish()
        }
        guard await ports.first(where: { _ in true }) != nil else { throw ServedProcess.NotServing(description: "accounts do not listen") }
    }

    /// A user's token, of one of their sessions.
    func token(
        _ user: UserID, session: UUID, scopes: [String] = ["wallet"], authenticatedAt: Int64 = AccountAPI.now
    ) async throws -> String {
        try await credentials.issuer.token(
            for: .user(user.description), scopes: scopes, authenticatedAt: authenticatedAt, sessionID: SessionID(session).description,
            now: Self.now)
    }

    func clientToken() async throws -> String {
        try await credentials.issuer.token(for: .client("acme"), scopes: ["wallet"], now: Self.now)
    }

    /// Sends a request, signed if somebody signs it.
    func send(
        _ method: String, _ target: String, _ body: String? = nil, by caller: String? = "mobile-bff", token: String? = nil,
        _ fields: [String: String] = [:]
    ) async throws -> WireAnswer {
        var head = HTTPFields()
        head[HTTPField.Name("florin-client")!] = "ip=\"203.0.113.7\""
        if body != nil { head[.contentType] = caller == nil ? "application/x-www-form-urlencoded" : "application/json" }
        if let token { head[.authorization] = "Bearer \(token)" }
        for (name, value) in fields { head[HTTPField.Name(name)!] = value }
        var request = SignableRequest(method: method, authority: "127.0.0.1:\(port)", target: target, headerFields: head)
        if let caller {
            var random = SystemRandomNumberGenerator()
            try credentials.signer(caller).sign(
                &request, body: body.map { Array($0.utf8) }, created: Self.now, nonce: SigningNonce.random(using: &random))
        }
        var text = "\(method) \(target) HTTP/1.1\r\nHost: \(request.authority)\r\nConnection: close\r\n"
        for field in request.headerFields { text += "\(field.name.rawName): \(field.value)\r\n" }
        if let body { text += "Content-Length: \(body.utf8.count)\r\n" }
        return try WireAnswer(try await HTTPSocket.everything(after: Array("\(text)\r\n\(body ?? "")".utf8), port: port))
    }
}

/// An answer as it stood on the wire.
struct WireAnswer: Sendable {
    let status: Int
    /// Names in lower case; of a name that came twice both values, with a line break between them.
    let fields: [String: String]
    let body: String

    init(_ text: String) throws {
        let parts = text.components(separatedBy: "\r\n\r\n")
        let lines = parts[0].components(separatedBy: "\r\n")
        guard let status = lines[0].split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else {
            throw ServedProcess.NotServing(description: text)
        }
        self.status = status
        var fields: [String: String] = [:]
        for line in lines.dropFirst() {
            let field = line.split(separator: ":", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
            guard field.count == 2 else { continue }
            let name = field[0].lowercased()
            fields[name] = [fields[name], field[1]].compactMap(\.self).joined(separator: "\n")
        }
        self.fields = fields
        body = parts.dropFirst().joined(separator: "\r\n\r\n")
    }

    var json: JSONValue { (try? JSONParser.parse(Array(body.utf8))) ?? .null }
    var code: String? { json["code"]?.stringValue }
    var pointers: [String] { (json["errors"]?.arrayValue ?? []).compactMap { $0["pointer"]?.stringValue } }
}
