package import AccessTokens
internal import Contracts
internal import Foundation
internal import Observability
package import RequestSigning
internal import ServiceRuntime
import StrictJSON

/// The signing keys of a fleet and who issues its tokens, as files for one service under test and as what its callers hold.
package struct CallerCredentials: Sendable {
    /// The keys of the service under test.
    package let keysFile: String
    /// The issuer's public keys.
    package let keySetFile: String
    package let issuer: LocalTokenIssuer
    /// Names itself like the issuer, but has another key.
    package let forger: LocalTokenIssuer
    /// Has the issuer's key, but another name.
    package let otherIssuer: LocalTokenIssuer
    /// Every secret of the pairs, as the files spell it.
    package let secrets: [String]
    private let signers: [String: RequestSigner]
    /// Signs as the first caller, with a key that the service doesn't know.
    private let stranger: RequestSigner

    /// - Parameters:
    ///   - callee: The service under test.
    ///   - folder: Where the files are written.
    package init(callee: String, pairs: [SigningKeyGenerator.Pair], folder: String) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let keyFolder = SigningKeyFolder(path: "\(folder)/keys")
        var random = SystemRandomNumberGenerator()
        let now = WallClock.microsecondsSinceUnixEpoch() / 1_000_000
        let keys = try SigningKeyGenerator.generate(pairs: pairs, now: now, using: &random)
        _ = try keyFolder.write(keys, replacing: false)
        signers = Dictionary(
            uniqueKeysWithValues: keys.filter { !$0.outbound.isEmpty }.map {
                ($0.service, RequestSigner(keys: SigningKeyStore(keys: $0), callee: callee))
            })
        let strangers = try SigningKeyGenerator.generate(
            pairs: pairs.filter { $0.callee == callee }.prefix(1).map { $0 }, now: now, using: &random)
        guard let unknown = strangers.first(where: { !$0.outbound.isEmpty }) else {
            throw ServedProcess.NotServing(description: "nobody calls \(callee)")
        }
        stranger = RequestSigner(keys: SigningKeyStore(keys: unknown), callee: callee)
        secrets = try keys.flatMap { keys in
            (try JSONParser.parse(SigningKeyFile.render(keys))["inbound"]?.arrayValue ?? []).compactMap { $0["secret"]?.stringValue }
        }
        guard secrets.count == pairs.count else { throw ServedProcess.NotServing(description: "the keys file holds no secrets") }
        issuer = try LocalTokenIssuer.create(directory: "\(folder)/issuer", environment: "local")
        forger = try LocalTokenIssuer(environment: "local")
        otherIssuer = try LocalTokenIssuer(directory: "\(folder)/issuer", environment: "local", issuer: "http://127.0.0.1:1")
        keysFile = keyFolder.path(of: callee)
        keySetFile = LocalTokenIssuer.keySetPath(in: "\(folder)/issuer")
    }

    /// Who signs as this service; anybody unknown signs with a key that the service under test has never seen.
    package func signer(_ caller: String) -> RequestSigner { signers[caller] ?? stranger }

    /// What a service that takes signed requests needs to know, but for its database, in this process.
    ///
    /// Other suites make databases on the same server; how they stand to each other is tested elsewhere.
    package func environment(port: Int) -> [String: String] {
        [
            "FLORIN_ENVIRONMENT": "local", "DATABASE_ISOLATION_MODE": "warn", "INTERNAL_AUTH_KEYS_FILE": keysFile, "REPLAY_WINDOW": "in-process",
            "INTERNAL_TLS": "off", "TOKEN_ISSUER": issuer.issuer, "TOKEN_JWKS": keySetFile, "HTTP_HOST": "127.0.0.1", "HTTP_PORT": String(port),
            "ADMIN_PORT": "0", "MIGRATIONS_DIRECTORY": RepositoryRoot.path("migrations"), "LOG_LEVEL": "debug",
        ]
    }
}
