import AMQP
import Contracts
import Crypto
import EncryptionKeys
import EventBroker
import Fleet
import Foundation
import Logging
import Observability
import Postgres
import ServiceLifecycle
import ServiceRuntime
import StrictJSON
import Synchronization
import TestSupport
import Testing

@testable import EventConsumption

/// A consumer's database, the handlers of a test, and what they did.
struct ConsumptionFixture {
    static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    /// The service whose events these are by their first word.
    static let producer = "wallet-ledger"

    /// Of one consumer's own, so that no other test's queue gets them.
    static func type(of consumer: String) -> String { "ledger.\(consumer).counted.v1" }
    static func ignoredType(of consumer: String) -> String { "ledger.\(consumer).seen.v1" }

    static let migrations = [
        MigrationFolder(namespace: "consumption", path: RepositoryRoot.path("migrations/shared/consumption")),
        MigrationFolder(namespace: "ops-risk", path: RepositoryRoot.path("Tests/EventConsumptionTests/migrations")),
    ]

    let database: TestDatabase
    let pool: PostgresPool
    /// The queue's name, and the consumer's in the database.
    let name = "consumer-\(UUID().uuidString.prefix(8).lowercased())"
    let keys: DeadLetterKeys
    var type: String { Self.type(of: name) }
    var ignoredType: String { Self.ignoredType(of: name) }

    init(server: PostgresServer? = nil) async throws {
        database = try await PostgresServer.shared(unless: server).makeDatabase(service: "ops-risk", migrations: Self.migrations)
        pool = try Self.pool(database)
        keys = try Self.keys([Self.key("first", 1)])
    }

    static func pool(_ database: TestDatabase) throws -> PostgresPool {
        PostgresPool(
            configuration: try PostgresConfiguration(url: database.servingURL),
            options: PoolOptions(maximumConnections: 8, acquireTimeout: .seconds(3)))
    }

    static func key(_ id: String, _ byte: UInt8) -> EncryptionKeys.Key {
        EncryptionKeys.Key(id: id, secret: SymmetricKey(data: [UInt8](repeating: byte, count: 32)))
    }

    static func keys(_ keys: [EncryptionKeys.Key]) throws -> DeadLetterKeys {
        DeadLetterKeys(try #require(EncryptionKeys(keys)))
    }

    // MARK: - Events

    /// - Parameter minute: Counted from an hour ago; now unless given.
    func envelope(
        _ number: Int, id: EventID? = nil, type: String? = nil, key: String? = nil, minute: Int? = nil, traceparent: String? = nil
    ) -> EventEnvelope {
        let offset = minute.map { Int64($0 - 60) * 60_000_000 } ?? 0
        return EventEnvelope(
            id: id ?? EventID(UUID()), source: Self.producer, type: type ?? self.type, subject: "thing-\(number)",
            time: Timestamp(microsecondsSinceUnixEpoch: Timestamp.now().microsecondsSinceUnixEpoch + offset),
            partitionKey: key ?? "key-\(number)", traceparent: traceparent, data: .object([JSONMember(name: "number", value: .number("\(number)"))]))
    }

    func message(_ envelope: EventEnvelope) -> AMQPMessage {
        EventMessage.publication(
            envelope: envelope.wireBytes(), id: envelope.id, type: envelope.type, source: envelope.source, time: envelope.time
        ).message
    }

    func subscription(_ handler: TestHandler) -> EventSubscription {
        EventSubscription(
            queue: EventConsumerQueue(service: name, patterns: ["ledger.\(name).#"]), handlers: [handler.eventHandler(of: name)],
            ignoring: [ignoredType])
    }

    // MARK: - What happened

    struct Effect: Hashable, Sendable {
        let eventID: UUID
        let number: Int
        let attempt: Int
    }

    /// In the order in which they were written.
    func effects() async throws -> [Effect] {
        try await pool.withSession { session in
            try session.query("SELECT event_id, number, attempt FROM effects ORDER BY id").map { row in
                let (eventID, number, attempt) = try row.decode(UUID.self, Int64.self, Int32.self)
                return Effect(eventID: eventID, number: Int(number), attempt: Int(attempt))
            }
        }
    }

    func numbers() async throws -> [Int] { try await effects().map(\.number) }

    func letters(_ status: DeadLetterStatus? = nil) async throws -> [DeadLetterSummary] {
        let repository = DeadLetterRepository(consumer: name)
        return try await pool.withSession { session in try repository.list(DeadLetterFilter(limit: 10_000, status: status), session) }
    }

    /// Runs statements as the database's owner, who may do what the serving role may not.
    func asOwner(_ statements: String...) async throws {
        let connection = try await PostgresConnection.connect(PostgresConfiguration(url: database.ownerURL))
        try await connection.withSession { session in for statement in statements { try session.execute(PostgresQuery(unsafeSQL: statement)) } }
        await connection.close()
    }

    /// Writes dead letters, as a consumer does.
    @discardableResult
    func bury(
        _ envelopes: [EventEnvelope], kind: EventFailure.Kind = .refused, failedAt: Timestamp = Timestamp.now(), keys: DeadLetterKeys? = nil
    ) async throws -> [DeadLetterSummary] {
        let store = DeadLetterStore(consumer: name, keys: keys ?? self.keys)
        let letters = envelopes.map { envelope in
            DeadLetter(raw: raw(envelope), facts: EventFacts(envelope), failure: EventFailure(kind, "the test said so"), failedAt: failedAt)
        }
        try await pool.withTransaction { session in try store.record(letters, session) }
        return try await self.letters(.open)
    }

    func raw(_ envelope: EventEnvelope) -> RawMessage {
        RawMessage(
            body: envelope.wireBytes(), messageID: envelope.id.description, contentType: EventMessage.contentType, type: envelope.type,
            routingKey: envelope.type, publisher: .user(FleetService.relayUser(of: Self.producer)), headers: [:], attempt: 1, firstFailedAt: nil)
    }

    func replay(_ handler: TestHandler = TestHandler(), keys: DeadLetterKeys? = nil, now: Timestamp? = nil) -> DeadLetterReplay {
        let clock: @Sendable () -> Timestamp = { now ?? Timestamp.now() }
        return DeadLetterReplay(subscription: subscription(handler), pool: pool, keys: keys ?? self.keys, now: clock)
    }
}

/// Writes each event's effect, unless its script throws first.
final class TestHandler: Sendable {
    typealias Script = @Sendable (_ event: ReceivedEvent<Int>, _ session: PostgresSession) throws -> Void

    private let script: Script
    /// The numbers of each call, in order.
    let calls = Mutex<[[Int]]>([])
    let traceparents = Mutex<[String?]>([])

    init(_ script: @escaping Script = { _, _ in }) { self.script = script }

    struct NotANumber: Error {}

    func eventHandler(of consumer: String) -> EventHandler {
        EventHandler(types: [ConsumptionFixture.type(of: consumer)]) { envelope in
            guard let number = envelope.data["number"]?.integerValue else { throw NotANumber() }
            return Int(number)
        } handle: { (events: [ReceivedEvent<Int>], session) in
            self.calls.withLock { $0.append(events.map(\.payload)) }
            self.traceparents.withLock { $0 += events.map(\.traceparent) }
            for event in events {
                try session.execute(
                    """
                    INSERT INTO effects (event_id, number, attempt)
                    VALUES (\(event.id.uuid), \(Int64(event.payload)), \(Int32(event.attempt)))
                    """)
                try self.script(event, session)
            }
        }
    }
}

/// Holds threads up until it is opened.
final class Gate: Sendable {
    private let condition = NSCondition()
    private let state = Mutex((isOpen: false, waiting: 0))

    var waiting: Int { state.withLock { $0.waiting } }

    func pass() {
        condition.lock()
        state.withLock { $0.waiting += 1 }
        while !state.withLock({ $0.isOpen }) { condition.wait() }
        condition.unlock()
    }

    func open() {
        condition.lock()
        state.withLock { $0.isOpen = true }
        condition.broadcast()
        condition.unlock()
    }
}
