import Contracts
import Foundation
import Observability
import Outbox
import Postgres
import RequestSigning
import Sealing
import ServiceIdentity
import ServiceRuntime
import StrictJSON
import TestSupport
import Testing

@testable import Identity

/// identity as `serve` composes it, in this process: a real socket and a real Postgres, with the clients that the tests need.
///
/// One for all suites, since a start waits for the second in which the replay window begins.
final class ProviderAPI: Sendable {
    static let redirectURI = "https://rp.example/cb"
    private static let running = Task { try await ProviderAPI() }

    let port: Int
    let identity: IdentityFixture
    let log: ServiceLog
    let metrics = PrometheusRegistry()
    let environment: [String: String]
    /// By client.
    let secrets: [String: String]
    private let folder: TemporaryFolder

    /// Where the callers' keys are.
    var keys: SigningKeyFolder { SigningKeyFolder(path: "\(folder.path)/keys") }
    /// What the mails that are asked for can be opened with.
    var openingKeys: OpeningKeys { get throws { try OpeningKeys(file: "\(folder.path)/sealing.private.json") } }

    static func shared() async throws -> ProviderAPI { try await running.value }

    private init() async throws {
        identity = try await IdentityFixture()
        folder = try TemporaryFolder("identity-http")
        let credentials = try CallerCredentials(
            callee: Identity.name, pairs: ["api-gateway", "mobile-bff"].map { SigningKeyGenerator.Pair(caller: $0, callee: Identity.name) },
            folder: folder.path)
        let secret = Data((0..<32).map { _ in UInt8.random(in: .min ... .max) }).base64EncodedString()
        let keys = "\(folder.path)/identity-secret.keys.json"
        try Data(#"{"keys":[{"keyid":"test","secret":"\#(secret)"}]}"#.utf8).write(to: URL(fileURLWithPath: keys))
        let sealing = "\(folder.path)/sealing.public.json"
        try SealingKeyGenerator(privatePath: "\(folder.path)/sealing.private.json", publicPath: sealing).make(id: "test")
        log = try ServiceLog(of: Identity.name)
        port = try FreePort.any()
        environment = credentials.environment(port: port).merging([
            "IDENTITY_DATABASE_URL": identity.database.servingURL, "IDENTITY_SECRET_KEYS_FILE": keys, "TOKEN_ISSUER": "http://127.0.0.1:\(port)",
            "NOTIFICATION_SEALING_KEY_FILE": sealing, "IDENTITY_PAGES_DIRECTORY": RepositoryRoot.path("Services/Identity/Pages"),
            "PASSWORD_BLOCKLIST_FILE": RepositoryRoot.path("infra/identity/passwords.txt"),
            "PASSWORD_HASH_COST": CredentialFixture.cost.description,
        ]) { $1 }
        let register = RegisterClient(pool: identity.pool, now: Timestamp.now)
        var secrets: [String: String] = [:]
        for client in [
            ProviderFixture.client(), ProviderFixture.client("app", isConfidential: false),
            ProviderFixture.client("machine", grants: [.clientCredentials], scopes: ["ledger:read"], introspects: "florin-api"),
        ] { secrets[client.id] = try await register(client) }
        self.secrets = secrets
        try await ServedProcess.start(Identity.self, environment: environment, log: log, tracer: nil, metrics: metrics)
    }

    struct Answer: Sendable {
        let status: Int
        let fields: [String: String]
        let json: JSONValue
        let text: String
    }

    func send(
        _ method: String, _ target: String, form: String? = nil, fields: [String: String] = [:], basic: (String, String)? = nil
    ) async throws -> Answer {
        var head = "\(method) \(target) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nConnection: close\r\n"
        if let basic { head += "Authorization: Basic \(Data("\(basic.0):\(basic.1)".utf8).base64EncodedString())\r\n" }
        for (name, value) in fields { head += "\(name): \(value)\r\n" }
        if let form { head += "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: \(form.utf8.count)\r\n" }
        // To the end of the connection: a 304 has no length.
        let text = try await HTTPSocket.everything(after: Array("\(head)\r\n\(form ?? "")".utf8), port: port)
        let parts = text.components(separatedBy: "\r\n\r\n")
        let lines = parts[0].components(separatedBy: "\r\n")
        var answered: [String: String] = [:]
        for line in lines.dropFirst() {
            let field = line.split(separator: ":", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
            if field.count == 2 { answered[field[0].lowercased(), default: ""] += field[1] }
        }
        let body = parts.dropFirst().joined(separator: "\r\n\r\n")
        return Answer(
            status: try #require(Int(lines[0].split(separator: " ")[1])), fields: answered,
            json: (try? JSONParser.parse(Array(body.utf8))) ?? .null, text: body)
    }

    /// A token request of a confidential client.
    func token(_ form: String, as client: String = "rp-1") async throws -> Answer {
        try await send("POST", "/oauth2/token", form: form, basic: (client, secrets[client] ?? ""))
    }

    /// A code of somebody who has signed in now, and what redeems it.
    func code(
        client: String = "rp-1", scopes: [String] = ["openid", "profile", "email", "offline_access", "wallet"]
    ) async throws -> (
        code: String, verifier: String, user: UUID
    ) {
        let user = try await identity.makeUser()
        let now = Timestamp.now()
        let session = try await identity.makeSession(of: user, authenticatedAt: now)
        // The fixture's clock stands still, the service's runs.
        try await identity.execute("UPDATE sessions SET expires_at = \((now + .seconds(86_400)).stored) WHERE id = \(session)")
        let proof = ProviderFixture.proofKey()
        let request = AuthorizationRequest(
            clientID: client, redirectURI: Self.redirectURI, scopes: scopes, nonce: "n", codeChallenge: proof.challenge)
        let authentication = Authentication(user: user, generation: 1, amr: ["pwd"], authenticatedAt: now, secondFactorAt: nil)
        let code = try await identity.pool.withTransaction { db in
            try IssueCode(gate: TokenGate(now: Timestamp.now), now: Timestamp.now)(request, authentication, sessionID: session, db)
        }
        return (code, proof.verifier, user)
    }

    static func encoded(_ text: String) -> String {
        text.utf8.map { byte in "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true) }.joined()
    }
}
