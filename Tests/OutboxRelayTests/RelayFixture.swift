import AMQP
import Concurrency
import Contracts
import CoreMetrics
import EventBroker
import Foundation
import Logging
import Observability
import Outbox
import Postgres
import ServiceDatabase
import ServiceLifecycle
import ServiceRuntime
import StrictJSON
import Synchronization
import TestSupport
import Testing

@testable import OutboxRelay

/// An outbox, a queue that gets its events, and relays between them.
struct RelayFixture {
    static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    /// Not the one that other suites freeze and fill.
    static let brokerTask = Task { try await RabbitMQServer.startSeparate() }

    let broker: RabbitMQServer
    let database: TestDatabase
    let writer: PostgresPool
    let relayPool: PostgresPool
    /// The first word of the event types of this test.
    let name = "t\(UUID().uuidString.prefix(8).lowercased())"
    var queue: String { "relay-\(name)" }
    var type: String { "\(name).thing.happened.v1" }

    var timing: RelayTiming {
        var timing = RelayTiming()
        timing.lease = .seconds(3)
        timing.renewal = .milliseconds(300)
        timing.search = .milliseconds(100)
        timing.publish = .seconds(2)
        timing.retry = .milliseconds(20)
        timing.failure = .milliseconds(50)
        timing.longestFailure = .milliseconds(200)
        return timing
    }

    /// - Parameter server: One of a test's own, which is reached through its pooler and not directly; nil is the one that all suites share.
    init(server: PostgresServer? = nil) async throws {
        broker = try await Self.brokerTask.value
        database = try await PostgresServer.shared(unless: server).makeDatabase(
            service: "wallet-ledger",
            migrations: [
                MigrationFolder(namespace: "outbox", path: RepositoryRoot.path("migrations/shared/outbox")),
                MigrationFolder(namespace: "wallet-ledger", path: RepositoryRoot.path("migrations/wallet-ledger")),
            ])
        let options = PoolOptions(maximumConnections: 8, acquireTimeout: .seconds(30))
        writer = PostgresPool(configuration: try PostgresConfiguration(url: database.servingURL), options: options)
        let relayURL = if let server { try await server.pooler().url(database.relayURL, server: server) } else { database.relayURL }
        relayPool = PostgresPool(configuration: try PostgresConfiguration(url: relayURL), options: options)
    }

    var configuration: AMQPConfiguration { get throws { try AMQPConfiguration(url: broker.url(parameters: "?heartbeat=1")) } }

    /// The exchange with one queue, which gets what this test publishes.
    /// - Parameter pattern: After the name of the test.
    func topology(_ pattern: String = "#") -> AMQPTopology {
        AMQPTopology(
            exchanges: [EventTopology.exchange], queues: [AMQPQueue(queue)],
            bindings: [AMQPBinding(queue: queue, exchange: EventTopology.exchange.name, routingKey: "\(name).\(pattern)")])
    }

    func declare(_ pattern: String = "#") async throws {
        try await topology(pattern).declare(on: configuration)
    }

    /// The broker writes what it was told of queues to the disk with a delay; killed before, it forgets them.
    func settleTopology() async throws {
        try await broker.control("eval", "mnesia:sync_log().")
        _ = try await eventually(within: .seconds(3)) { false }
    }

    /// - Parameter time: When it occurred; now, unless said otherwise.
    func event(_ number: Int, key: String, type: String? = nil, at time: Timestamp = Timestamp.now()) -> OutboxEvent {
        OutboxEvent(
            id: EventID(UUID()), type: type ?? self.type, subject: key, partitionKey: key,
            occurredAt: time, traceparent: nil,
            data: Array("{\"key\":\"\(key)\",\"number\":\(number)}".utf8))
    }

    /// Writes events in one transaction.
    func write(_ events: [OutboxEvent]) async throws {
        try await writer.withTransaction { session in try OutboxWriter.append(events, session) }
    }

    /// Writes so many events per key, each in a transaction of its own, keys at the same time.
    func write(perKey count: Int, keys: [String], from first: Int = 0) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for key in keys {
                group.addTask { for number in first..<(first + count) { try await self.write([self.event(number, key: key)]) } }
            }
            try await group.waitForAll()
        }
    }

    /// One relay as the executable composes it.
    func relay(
        _ owner: String, timing: RelayTiming? = nil, attempts: Int = 3, pool: PostgresPool? = nil, broker: AMQPConfiguration? = nil
    ) throws -> RunningRelay {
        let timing = timing ?? self.timing
        let registry = PrometheusRegistry()
        let metrics = RelayMetrics(registry)
        let pool = pool ?? relayPool
        var options = OutboxRelay.publisherOptions(timing)
        options.reconnectBackoff = Backoff(first: .milliseconds(50), maximum: .milliseconds(200))
        options.stallLimit = .seconds(1)
        let publisher = try AMQPPublisher(
            configuration: broker ?? configuration, name: owner, options: options, logger: Self.quiet, metrics: registry)
        let keeper = LeaseKeeper(owner: owner, pool: pool, timing: timing, logger: Self.quiet, lost: metrics.leasesLost) { publisher.status.isOpen }
        let loop = RelayLoop(
            source: "wallet-ledger", owner: owner, pool: pool, publisher: publisher, keeper: keeper, maximumAttempts: attempts, timing: timing,
            metrics: metrics, tracer: nil, logger: Self.quiet)
        return RunningRelay(publisher: publisher, keeper: keeper, loop: loop, registry: registry)
    }

    /// Runs relays for as long as `body` takes, and ends them without a drain.
    func running<Value: Sendable>(_ relays: [RunningRelay], _ body: () async throws -> Value) async throws -> Value {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for relay in relays { group.addTask { try await relay.run() } }
            let value = try await body()
            group.cancelAll()
            try? await group.waitForAll()
            return value
        }
    }

    /// Everything that the queue gets, until `isEnough`; in the order of arrival.
    func collect(within limit: Duration = .seconds(30), until isEnough: @escaping @Sendable ([Received]) -> Bool) async throws -> [Received] {
        try await collecting { collected in
            _ = try await eventually(within: limit, every: .milliseconds(10)) { isEnough(collected.all) }
            return collected.all
        }
    }

    /// Takes whatever the queue gets for as long as `body` runs.
    /// - Parameter heartbeat: In seconds; a short one on a busy machine costs the connection now and then, and things come twice.
    func collecting<Value: Sendable>(heartbeat: Int = 1, _ body: (Collected) async throws -> Value) async throws -> Value {
        let consumer = try AMQPConsumer(
            configuration: AMQPConfiguration(url: broker.url(parameters: "?heartbeat=\(heartbeat)")), name: "collector-\(name)", queue: queue,
            options: ConsumerOptions(
                prefetch: 1_000, drainTimeout: .milliseconds(100),
                reconnectBackoff: Backoff(first: .milliseconds(50), maximum: .milliseconds(200))),
            logger: Self.quiet)
        let received = Collected()
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await consumer.run() }
            group.addTask {
                for await delivery in consumer.deliveries {
                    received.append(Received(delivery))
                    consumer.acknowledge(delivery.receipt)
                }
            }
            let value = try await body(received)
            group.cancelAll()
            try? await group.waitForAll()
            return value
        }
    }

    func marks() async throws -> [Int64] {
        try await relayPool.withSession { session in
            try session.query("SELECT published_through FROM relay_partitions ORDER BY partition").map { row in try row.decode(Int64.self) }
        }
    }

    func held() async throws -> [String: Int] {
        let counts = try await relayPool.withSession { session in try DeferredEventStore().counts(session).counts }
        return Dictionary(uniqueKeysWithValues: counts.map { ($0.key.rawValue, $0.value) })
    }

    /// Whether every event that is in the outbox lies behind a mark.
    func isAllMarked() async throws -> Bool {
        try await relayPool.withSession { session in try OutboxUpkeep().backlog(session) }.count == 0
    }
}

/// What a consumer has been given, in the order of arrival.
final class Collected: Sendable {
    private let received = Mutex<[Received]>([])

    var all: [Received] { received.withLock { $0 } }
    func append(_ one: Received) { received.withLock { $0.append(one) } }
}

struct RunningRelay: Sendable {
    let publisher: AMQPPublisher
    let keeper: LeaseKeeper
    let loop: RelayLoop
    let registry: PrometheusRegistry
    private let group: ServiceGroup

    init(publisher: AMQPPublisher, keeper: LeaseKeeper, loop: RelayLoop, registry: PrometheusRegistry) {
        self.publisher = publisher
        self.keeper = keeper
        self.loop = loop
        self.registry = registry
        group = ServiceGroup(services: [publisher, keeper, loop], logger: RelayFixture.quiet)
    }

    func run() async throws { try await group.run() }

    /// Seconds, as the metrics tell after a look of the housekeeping.
    func oldestAge() async throws -> Double { try await gauge("outbox_oldest_age_seconds") }

    /// As the metrics tell after a look of the housekeeping.
    func gauge(_ name: String) async throws -> Double {
        try await OutboxHousekeeping(pool: loop.pool, retentionDays: 1, metrics: loop.metrics, clock: ClockWitness(), logger: RelayFixture.quiet)
            .count()
        return try lastGauge(name)
    }

    func lastGauge(_ name: String) throws -> Double {
        let line = registry.render().split(separator: "\n").first { $0.hasPrefix("\(name) ") }
        return try #require(line?.split(separator: " ").last.flatMap { Double($0) })
    }

    /// As SIGTERM does; `run` returns when it is done.
    func drain() async { await group.triggerGracefulShutdown() }
}

/// An event as a consumer gets it.
struct Received: Sendable, Hashable {
    let id: String
    let key: String
    let number: Int
    let type: String
    let isRedelivered: Bool

    init(_ delivery: AMQPDelivery) {
        let envelope = try? JSONParser.parse(delivery.message.body)
        id = delivery.message.messageID
        key = envelope?["data"]?["key"]?.stringValue ?? ""
        if case .number(let text)? = envelope?["data"]?["number"] { number = Int(text) ?? -1 } else { number = -1 }
        type = delivery.routingKey
        isRedelivered = delivery.isRedelivered
    }
}

extension [Received] {
    /// Each event once, where it came first.
    var firsts: [Received] {
        var seen: Set<String> = []
        return filter { seen.insert($0.id).inserted }
    }

    /// The numbers of each key, in the order in which they came first.
    var byKey: [String: [Int]] { Dictionary(grouping: firsts, by: \.key).mapValues { $0.map(\.number) } }
}
