import AMQP
import AccessTokens
import Contracts
import EventBroker
import Foundation
import Logging
import Postgres
import RequestSigning
import TestSupport
import Testing

/// ops-risk as a process that a test may kill, its database, and a virtual host of its own at the broker.
struct ConsumerFleet {
    static let opsRisk = RepositoryRoot.path(".build/debug/ops-risk")
    private static let brokerTask = Task { try await RabbitMQServer.startSeparate() }
    static let quiet = Logger(label: "fleet") { _ in SwiftLogNoOpLogHandler() }

    let server: PostgresServer
    let database: TestDatabase
    let broker: RabbitMQServer
    let folder: String
    let issuer: LocalTokenIssuer
    private let databaseURL: String
    private let virtualHost = "v\(UUID().uuidString.prefix(8))"

    /// Lends a fleet and ends it on every path.
    ///
    /// - Parameter isPooled: whether ops-risk reaches Postgres through PgBouncer in transaction mode.
    static func with(isPooled: Bool = false, _ body: (ConsumerFleet) async throws -> Void) async throws {
        try await PostgresServer.withSeparate(settings: ["fsync": "on"]) { server in
            let database = try await server.makeDatabase(
                service: "ops-risk",
                migrations: ["shared/outbox", "shared/consumption", "ops-risk"].map { path in
                    MigrationFolder(namespace: path.replacing("shared/", with: ""), path: RepositoryRoot.path("migrations/\(path)"))
                })
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent("florin-consumer-\(UUID().uuidString)").path
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let fleet = ConsumerFleet(
                server: server, database: database, broker: try await brokerTask.value, folder: folder,
                issuer: try LedgerFleet.writeCredentials(to: folder),
                databaseURL: isPooled ? try await server.pooler().url(database.servingURL, server: server) : database.servingURL)
            try await fleet.prepare()
            try await body(fleet)
        }
    }

    private func prepare() async throws {
        try await broker.makeFleet(virtualHost)
        let secret = Data((0..<32).map { _ in UInt8.random(in: 0...255) }).base64EncodedString()
        try #"{"keys":[{"keyid":"test","secret":"\#(secret)"}]}"#.write(toFile: "\(folder)/dead.json", atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: "\(folder)/dead.json")
        try await EventTopology.whole(types: []).declare(on: brokerConfiguration)
    }

    private func brokerURL(as user: String) -> String { broker.url(as: user, parameters: "/\(virtualHost)?heartbeat=2") }
    private var brokerConfiguration: AMQPConfiguration { get throws { try AMQPConfiguration(url: brokerURL(as: RabbitMQServer.user)) } }

    /// - Parameter settings: beside, or in place of, those that every process has.
    func environment(admin: Int = 1, port: Int = 2, settings: [String: String] = [:]) -> [String: String] {
        [
            "FLORIN_ENVIRONMENT": "local", "OPS_RISK_DATABASE_URL": databaseURL, "RABBITMQ_URL": brokerURL(as: "ops-risk"),
            "REPLAY_WINDOW": "in-process", "INTERNAL_TLS": "off", "INTERNAL_AUTH_KEYS_FILE": "\(folder)/ops-risk.keys.json",
            "TOKEN_ISSUER": LocalTokenIssuer.defaultIssuer,
            "TOKEN_JWKS": LocalTokenIssuer.keySetPath(in: folder), "HTTP_HOST": "127.0.0.1", "HTTP_PORT": "\(port)", "ADMIN_PORT": "\(admin)",
            "MIGRATIONS_DIRECTORY": RepositoryRoot.path("migrations"), "LOG_LEVEL": "error", "DEAD_LETTER_KEYS_FILE": "\(folder)/dead.json",
            "EVENT_RETRY_DELAYS": "1s,2s", "RISK_HIGH_VALUE_THRESHOLDS": "*=100", "RISK_VELOCITY_LIMIT": "1000",
        ].merging(settings) { $1 }
    }

    /// A consumer, started.
    ///
    /// - Parameter port: of its API; any unless given.
    func consumer(port: Int? = nil, settings: [String: String] = [:]) throws -> LedgerProcess {
        let (admin, port) = (try FreePort.any(), try port ?? FreePort.any())
        let process = LedgerProcess(Self.opsRisk, environment: environment(admin: admin, port: port, settings: settings), adminPort: admin)
        try process.start()
        return process
    }

    /// Publishes transfers of high value, one alert each, as the relay would; of the wallets in turn, each later one of a larger amount.
    func publish(_ count: Int, ofWallets wallets: Int) async throws { try await publish(transfers(count, ofWallets: wallets)) }

    func transfers(_ count: Int, ofWallets wallets: Int) throws -> [AMQPPublication] {
        let currency = try #require(Currency("EUR"))
        let sources = (0..<wallets).map { _ in WalletID(UUID()) }
        return try (0..<count).map { number in
            let (source, destination) = (sources[number % wallets], WalletID(UUID()))
            let money = try #require(Money(amountMinor: 1_000 + Int64(number), currency: currency))
            let payload = TransferPostedEvent(
                transferID: TransferID(UUID()), kind: .transfer,
                money: money,
                originalTransferID: nil, reference: nil, postedAt: Timestamp(microsecondsSinceUnixEpoch: Self.now()),
                legs: [
                    TransferLeg(
                        walletID: source, walletVersion: 2 + Int64(number / wallets), amountMinor: -1_000 - Int64(number), balanceAfterMinor: 0),
                    TransferLeg(walletID: destination, walletVersion: 1, amountMinor: 1_000 + Int64(number), balanceAfterMinor: 1_000),
                ])
            let time = Timestamp(microsecondsSinceUnixEpoch: Self.now())
            let envelope = try EventEnvelope(payload, id: EventID(UUID()), time: time, traceparent: nil)
            return EventMessage.publication(
                envelope: envelope.wireBytes(), id: envelope.id, type: envelope.type, source: envelope.source, time: time)
        }
    }

    func publish(_ publications: [AMQPPublication]) async throws {
        let outcomes = try await publish(publications, as: "wallet-ledger-relay")
        #expect(outcomes.allSatisfy { $0 == .confirmed }, "\(Set(outcomes))")
    }

    func publish(_ publications: [AMQPPublication], as user: String) async throws -> [PublishOutcome] {
        let publisher = try AMQPPublisher(configuration: AMQPConfiguration(url: brokerURL(as: user)), name: "test", logger: Self.quiet)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await publisher.run() }
            let outcomes = await publisher.publish(publications)
            group.cancelAll()
            try await group.waitForAll()
            return outcomes
        }
    }

    private static func now() -> Int64 { Int64(Date().timeIntervalSince1970 * 1_000_000) }

    /// One number out of the database, read as superuser.
    func number(_ sql: String) async throws -> Int64 { try await rows(sql) { row in try row.decode(Int64.self) }[0] }

    /// Rows out of the database, read as superuser.
    func rows<Value: Sendable>(_ sql: String, _ decode: @Sendable (PostgresRow) throws -> Value) async throws -> [Value] {
        let connection = try await server.superuserConnection(database: database.name)
        let values = try await connection.withSession { session in try session.query(PostgresQuery(unsafeSQL: sql)).map(decode) }
        await connection.close()
        return values
    }

    func execute(_ statements: String...) async throws {
        let connection = try await server.superuserConnection(database: database.name)
        for statement in statements {
            try await connection.withSession { session in try session.execute(PostgresQuery(unsafeSQL: statement)) }
        }
        await connection.close()
    }

    /// Commits that write to this table wait while the gate is closed.
    func gate(_ table: String) async throws {
        try await execute(
            """
            CREATE OR REPLACE FUNCTION crash_gate() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
            BEGIN PERFORM pg_advisory_xact_lock_shared(4711); RETURN NULL; END $$
            """,
            """
            CREATE CONSTRAINT TRIGGER crash_gate AFTER INSERT ON \(table) DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION crash_gate()
            """)
    }

    /// Holds locks for as long as `body` takes.
    func holding(_ statement: String, _ body: () async throws -> Void) async throws {
        try await server.holding(statement, database: database.name, body)
    }

    /// Waits until the consumer waits for a lock.
    func untilBlocked() async throws {
        let isBlocked = try await eventually(within: .seconds(30), every: .milliseconds(20)) {
            try await number(
                "SELECT count(*) FROM pg_stat_activity WHERE usename = '\(database.roles.serving)' AND wait_event_type = 'Lock'") > 0
        }
        #expect(isBlocked)
    }

    /// `rabbitmqctl` on the fleet's virtual host.
    func control(_ command: String, _ arguments: String...) async throws -> String {
        try await broker.control([command, "-p", virtualHost] + arguments)
    }

    /// Ends the consumer's sessions: a server would finish what a dead client asked for.
    func endSessions() async throws {
        _ = try await number("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = '\(database.roles.serving)'")
    }
}
