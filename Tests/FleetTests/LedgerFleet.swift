import AccessTokens
import Contracts
import Foundation
import Postgres
import RequestSigning
import ServiceClient
import ServiceIdentity
import TestSupport
import TransportSecurity

/// A server of its own and replicas of the ledger on it.
struct LedgerFleet {
    struct NotReady: Error {}

    static let user = "usr_01jd6r3v8k9m2n4p5q6r7s8t9v"

    let server: PostgresServer
    let database: TestDatabase
    let folder: String
    let issuer: LocalTokenIssuer
    let replicas: [LedgerProcess]
    let ports: [Int]
    let connections: ServiceConnections
    /// `http` or `https`, by which the replicas are called.
    let scheme: String

    /// Lends a fleet and ends it on every path: an HTTP client that is not shut down ends the test process, and hides why the test failed.
    ///
    /// - Parameters:
    ///   - authority: vouches for the replicas, which then encrypt; without one they serve plain HTTP.
    ///   - isPooled: whether the replicas reach Postgres through PgBouncer in transaction mode.
    ///   - settings: beside those that every replica has.
    static func with(
        replicas count: Int, authority: TestAuthority? = nil, isPooled: Bool = false, settings: [String: String] = [:],
        _ body: (LedgerFleet) async throws -> Void
    ) async throws {
        let fleet = try await LedgerFleet(replicas: count, authority: authority, isPooled: isPooled, settings: settings)
        do {
            try await body(fleet)
        } catch {
            await fleet.stop()
            throw error
        }
        await fleet.stop()
    }

    private init(replicas count: Int, authority: TestAuthority?, isPooled: Bool, settings: [String: String]) async throws {
        server = try await PostgresServer.startSeparate(settings: ["fsync": "on"])
        database = try await server.makeDatabase(
            service: "wallet-ledger",
            migrations: [
                MigrationFolder(namespace: "outbox", path: RepositoryRoot.path("migrations/shared/outbox")),
                MigrationFolder(namespace: "wallet-ledger", path: RepositoryRoot.path("migrations/wallet-ledger")),
            ])
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("florin-fleet-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        issuer = try Self.writeCredentials(to: folder)
        let url = isPooled ? try await server.pooler().url(database.servingURL, server: server) : database.servingURL
        var tls: [String: String] = [:]
        if let authority { tls = try await Self.encryption(by: authority, in: folder) }
        scheme = authority == nil ? "http" : "https"
        connections = ServiceConnections(
            connectionsPerHost: 128, authorities: try authority.map { try FleetAuthorities(file: $0.certificate) })
        var processes: [LedgerProcess] = []
        var ports: [Int] = []
        for _ in 0..<count {
            let (port, admin) = (try FreePort.any(), try FreePort.any())
            ports.append(port)
            let environment = Self.environment(url, folder, port: port, admin: admin).merging(tls) { $1 }
            processes.append(LedgerProcess(environment: environment.merging(settings) { $1 }, adminPort: admin))
        }
        replicas = processes
        self.ports = ports
    }

    /// Writes the keys of every service and the issuer's, as ``environment(_:_:port:admin:)`` names them.
    static func writeCredentials(to folder: String) throws -> LocalTokenIssuer {
        var random = SystemRandomNumberGenerator()
        let keys = try SigningKeyGenerator.generate(pairs: SigningKeyGenerator.fleet, now: seconds(), using: &random)
        _ = try SigningKeyFolder(path: folder).write(keys, replacing: true)
        return try LocalTokenIssuer.create(directory: folder, environment: "local")
    }

    static func seconds() -> Int64 { Int64(Date().timeIntervalSince1970) }

    static func environment(_ databaseURL: String, _ folder: String, port: Int, admin: Int) -> [String: String] {
        [
            "FLORIN_ENVIRONMENT": "local", "LEDGER_DATABASE_URL": databaseURL, "REPLAY_WINDOW": "in-process", "INTERNAL_TLS": "off",
            "INTERNAL_AUTH_KEYS_FILE": "\(folder)/wallet-ledger.keys.json", "TOKEN_ISSUER": LocalTokenIssuer.defaultIssuer,
            "TOKEN_JWKS": LocalTokenIssuer.keySetPath(in: folder), "HTTP_HOST": "127.0.0.1", "HTTP_PORT": "\(port)",
            "ADMIN_PORT": "\(admin)", "MIGRATIONS_DIRECTORY": RepositoryRoot.path("migrations"), "LOG_LEVEL": "error",
        ]
    }

    /// The settings of replicas that encrypt, with files in the fleet's folder that a test may replace.
    private static func encryption(by authority: TestAuthority, in folder: String) async throws -> [String: String] {
        let issued = try await authority.issue("first", hosts: "IP:127.0.0.1")
        try FileManager.default.copyItem(atPath: issued.certificate, toPath: "\(folder)/tls.crt")
        try FileManager.default.copyItem(atPath: issued.key, toPath: "\(folder)/tls.key")
        return [
            "INTERNAL_TLS": "own", "INTERNAL_TLS_CERTIFICATE_FILE": "\(folder)/tls.crt", "INTERNAL_TLS_KEY_FILE": "\(folder)/tls.key",
            "INTERNAL_TLS_CA_FILE": authority.certificate,
        ]
    }

    /// Waits until the replica says that it is ready.
    func ready(_ index: Int, within limit: Duration = .seconds(30)) async throws {
        try await wait(index, "/readyz", for: 200, within: limit)
    }

    /// The status of an admin route, 0 when nobody answers. The client tries a 503 three times, and a check of health lasts up to 1 s.
    func status(_ index: Int, _ path: String) async throws -> Int {
        let address = try ServiceAddress("http://127.0.0.1:\(replicas[index].adminPort)")
        let client = try client("fleetctl", address)
        return (try? await client.send(ServiceRequest(method: "GET", target: path, deadline: .now + .seconds(10))))?.status ?? 0
    }

    /// The text of an admin route's metrics.
    func metrics(_ index: Int) async throws -> String {
        let client = try client("fleetctl", ServiceAddress("http://127.0.0.1:\(replicas[index].adminPort)"))
        return String(
            decoding: try await client.send(ServiceRequest(method: "GET", target: "/metrics", deadline: .now + .seconds(10))).body, as: UTF8.self)
    }

    func client(_ caller: String, _ address: ServiceAddress) throws -> ServiceClient {
        try client(SigningKeyStore(path: SigningKeyFolder(path: folder).path(of: caller)), address)
    }

    func client(_ keys: SigningKeyStore, _ address: ServiceAddress) throws -> ServiceClient {
        ServiceClient(
            callee: "wallet-ledger", address: address, connections: connections, signer: RequestSigner(keys: keys, callee: "wallet-ledger"),
            retries: RetryPolicy(tryTimeout: .seconds(5)), unixMilliseconds: { Int64(Date().timeIntervalSince1970 * 1_000) })
    }

    func client(_ caller: String, replica: Int) throws -> ServiceClient {
        try client(caller, address(replica))
    }

    func address(_ replica: Int) throws -> ServiceAddress {
        try ServiceAddress("\(scheme)://127.0.0.1:\(ports[replica])")
    }

    func verify() throws -> (code: Int32, output: String) {
        try LedgerProcess.run(["verify"], environment: Self.environment(database.servingURL, folder, port: 1, admin: 2))
    }

    private func stop() async {
        for replica in replicas { replica.end(SIGKILL) }
        await connections.close()
        try? await server.stop(.immediate)
        try? FileManager.default.removeItem(atPath: folder)
    }
}
