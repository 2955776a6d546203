import AMQP
import Contracts
import EventBroker
import Foundation
import Logging
import Outbox
import Postgres
import StrictJSON
import Synchronization
import TestSupport
import Testing

/// The way of events as processes: an outbox, relays that a test may kill, and a broker of its own.
struct EventFleet {
    static let outboxRelay = RepositoryRoot.path(".build/debug/outbox-relay")
    /// The fleets of one test process share a broker; they run one after another.
    private static let brokerTask = Task { try await RabbitMQServer.startSeparate() }

    let server: PostgresServer
    let database: TestDatabase
    let broker: RabbitMQServer
    /// The first word of this fleet's event types.
    let name = "t\(UUID().uuidString.prefix(8).lowercased())"

    /// Lends a fleet and ends it on every path.
    static func with(_ body: (EventFleet) async throws -> Void) async throws {
        try await PostgresServer.withSeparate(settings: ["fsync": "on"]) { server in
            let database = try await server.makeDatabase(
                service: "wallet-ledger",
                migrations: [
                    MigrationFolder(namespace: "outbox", path: RepositoryRoot.path("migrations/shared/outbox")),
                    MigrationFolder(namespace: "wallet-ledger", path: RepositoryRoot.path("migrations/wallet-ledger")),
                ])
            let fleet = EventFleet(server: server, database: database, broker: try await brokerTask.value)
            try await fleet.topology.declare(on: fleet.brokerConfiguration)
            try await body(fleet)
        }
    }

    var queue: String { "crash-\(name)" }
    var type: String { "\(name).thing.happened.v1" }
    var brokerConfiguration: AMQPConfiguration { get throws { try AMQPConfiguration(url: broker.url(parameters: "?heartbeat=1")) } }

    private var topology: AMQPTopology {
        AMQPTopology(
            exchanges: [EventTopology.exchange], queues: [AMQPQueue(queue)],
            bindings: [AMQPBinding(queue: queue, exchange: EventTopology.exchange.name, routingKey: "\(name).#")])
    }

    /// A relay of the ledger's outbox, not started.
    func relay() throws -> LedgerProcess {
        let admin = try FreePort.any()
        return LedgerProcess(
            Self.outboxRelay,
            environment: [
                "FLORIN_ENVIRONMENT": "local", "LEDGER_DATABASE_URL": database.relayURL,
                "RABBITMQ_URL": broker.url(as: "wallet-ledger-relay", parameters: "?heartbeat=1"),
                "ADMIN_PORT": "\(admin)", "MIGRATIONS_DIRECTORY": RepositoryRoot.path("migrations"), "LOG_LEVEL": "error", "OUTBOX_LEASE": "2s",
                "OUTBOX_SOURCE": "wallet-ledger",
            ], adminPort: admin)
    }

    /// Writes events of several keys, numbered from `first`, in short transactions.
    func write(_ count: Int, keys: [String], from first: Int = 0) async throws {
        try await withPool { pool in
            for number in first..<(first + count) {
                let events = keys.map { key in
                    OutboxEvent(
                        id: EventID(UUID()), type: type, subject: key, partitionKey: key,
                        occurredAt: Timestamp(microsecondsSinceUnixEpoch: Int64(Date().timeIntervalSince1970 * 1_000_000)), traceparent: nil,
                        data: Array("{\"key\":\"\(key)\",\"number\":\(number)}".utf8))
                }
                try await pool.withTransaction { session in try OutboxWriter.append(events, session) }
            }
        }
    }

    private func withPool(_ body: (PostgresPool) async throws -> Void) async throws {
        let pool = PostgresPool(configuration: try PostgresConfiguration(url: database.servingURL))
        try await body(pool)
        await pool.close()
    }

    /// One number out of the database, read as superuser.
    func number(_ sql: String) async throws -> Int64 {
        let connection = try await server.superuserConnection(database: database.name)
        let value = try await connection.withSession { session in
            try session.query(PostgresQuery(unsafeSQL: sql))[0].decode(Int64.self)
        }
        await connection.close()
        return value
    }

    func isAllMarked() async throws -> Bool {
        try await number(
            """
            SELECT count(*) FROM outbox_events e
            JOIN relay_partitions p ON p.partition = (hashtextextended(e.partition_key, 0) & 63) WHERE e.id > p.published_through
            """) == 0
    }

    /// Holds a lock for as long as `body` takes.
    func locking(_ statement: String, _ body: () async throws -> Void) async throws {
        try await server.holding(statement, database: database.name, body)
    }

    /// Sets every event aside as a relay does after its last attempt, a minute ago.
    func park() async throws {
        try await server.execute(
            [
                """
                INSERT INTO outbox_held (id, partition, partition_key, state, attempts, next_attempt_at, reason, first_failed_at, last_failed_at)
                SELECT id, hashtextextended(partition_key, 0) & 63, partition_key, 'parked', 3, now(), 'unroutable',
                    now() - interval '1 minute', now() - interval '1 minute' FROM outbox_events
                """
            ], database: database.name)
    }

    /// Everything that waits in the queue, in its order.
    func collect(atLeast count: Int, within limit: Duration = .seconds(30)) async throws -> [ArrivedEvent] {
        let consumer = try AMQPConsumer(
            configuration: brokerConfiguration, name: "collector", queue: queue, options: ConsumerOptions(prefetch: 2_000, drainTimeout: .zero),
            logger: Logger(label: "collector") { _ in SwiftLogNoOpLogHandler() })
        let arrived = ArrivedEvents()
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await consumer.run() }
            group.addTask {
                for await delivery in consumer.deliveries {
                    arrived.append(ArrivedEvent(delivery.message))
                    consumer.acknowledge(delivery.receipt)
                }
            }
            _ = try await eventually(within: limit, every: .milliseconds(20)) { arrived.all.firsts.count >= count }
            group.cancelAll()
            try? await group.waitForAll()
            return arrived.all
        }
    }
}

/// An event as it left the queue.
struct ArrivedEvent: Sendable, Hashable {
    let id: String
    let key: String
    let number: Int

    init(_ message: AMQPMessage) {
        let envelope = try? JSONParser.parse(message.body)
        id = message.messageID
        key = envelope?["data"]?["key"]?.stringValue ?? ""
        if case .number(let text)? = envelope?["data"]?["number"] { number = Int(text) ?? -1 } else { number = -1 }
    }
}

extension [ArrivedEvent] {
    /// Each event once, where it came first.
    var firsts: [ArrivedEvent] {
        var seen: Set<String> = []
        return filter { seen.insert($0.id).inserted }
    }

    /// What a consumer that knows ids applies, by key and in order.
    var effects: [String: [Int]] { Dictionary(grouping: firsts, by: \.key).mapValues { $0.map(\.number) } }
}

private final class ArrivedEvents: Sendable {
    private let events = Mutex<[ArrivedEvent]>([])
    var all: [ArrivedEvent] { events.withLock { $0 } }
    func append(_ event: ArrivedEvent) { events.withLock { $0.append(event) } }
}
