import Concurrency
import Contracts
import Logging
import Observability
import Postgres
import ServiceDatabase
import ServiceLifecycle
import Synchronization
import TestSupport

@testable import WorkQueue

/// A database with nothing but `migrations/shared/workqueue` and a table of a toy service.
struct WorkFixture {
    private static let migrations = [
        MigrationFolder(namespace: "workqueue", path: RepositoryRoot.path("migrations/shared/workqueue")),
        MigrationFolder(namespace: "audit-export", path: RepositoryRoot.path("Tests/WorkQueueTests/migrations")),
    ]
    static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    let database: TestDatabase
    /// Of each process its own.
    let pools: [PostgresPool]
    var pool: PostgresPool { pools[0] }

    init(database: TestDatabase, pools: [PostgresPool]) {
        self.database = database
        self.pools = pools
    }

    init(processes: Int = 1) async throws {
        let database = try await PostgresServer.shared().makeDatabase(service: "audit-export", migrations: Self.migrations)
        let configuration = try PostgresConfiguration(url: database.servingURL)
        self.database = database
        pools = (0..<processes).map { _ in
            PostgresPool(configuration: configuration, options: PoolOptions(maximumConnections: 6, acquireTimeout: .seconds(30)))
        }
    }

    static func queue(
        attempts: Int = 3, lease: Duration = .seconds(600), isRepeatable: Bool = false, pause: Duration = .zero, name: String = "pieces"
    ) -> WorkQueue {
        WorkQueue(
            name: name,
            policy: WorkPolicy(
                maximumAttempts: attempts, backoff: Backoff(first: pause, maximum: pause), lease: lease, isRepeatable: isRepeatable))
    }

    @discardableResult
    func add(_ queue: WorkQueue, _ count: Int = 1, expiresIn: Duration = .seconds(3_600)) async throws -> [Int64] {
        let expiresAt = Timestamp(
            microsecondsSinceUnixEpoch: Timestamp.now().microsecondsSinceUnixEpoch + expiresIn.components.seconds * 1_000_000)
        return try await pool.withTransaction { session in
            try (0..<count).map { number in
                let id = try queue.add(session, kind: "piece", event: nil, traceparent: nil, expiresAt: expiresAt)
                try session.execute("INSERT INTO pieces (work_item, name) VALUES (\(id), \("piece \(number)"))")
                return id
            }
        }
    }

    func claim(_ queue: WorkQueue, atMost count: Int = 1) async throws -> [WorkClaim] {
        try await pool.withTransaction { session in try queue.claim(session, atMost: count) }
    }

    func settle(_ queue: WorkQueue, _ claim: WorkClaim, _ outcome: WorkOutcome) async throws -> WorkState? {
        try await pool.withTransaction { session in try queue.settle(session, claim, outcome) }
    }

    func sweep(_ queue: WorkQueue) async throws -> WorkQueue.Swept {
        try await pool.withTransaction { session in try queue.sweep(session, atMost: 1_000) }
    }

    func state(_ id: Int64) async throws -> WorkState? {
        try await pool.withSession { session in
            try session.query("SELECT state FROM work_items WHERE id = \(id)").first?.decode(String.self)
        }.flatMap(WorkState.init(rawValue:))
    }

    /// How many items are in each state.
    func states() async throws -> [WorkState: Int] {
        let rows = try await pool.withSession { session in
            try session.query("SELECT state, count(*) FROM work_items GROUP BY state").map { try $0.decode(String.self, Int64.self) }
        }
        return Dictionary(uniqueKeysWithValues: rows.compactMap { name, count in WorkState(rawValue: name).map { ($0, Int(count)) } })
    }

    static let noteState: WorkLanes.Settled = { session, ids, state in
        try session.execute("UPDATE pieces SET last_state = \(state.rawValue) WHERE work_item = ANY (\(ids))")
    }

    func lanes(
        _ queue: WorkQueue, process: Int = 0, lanes: Int = 4, metrics: PrometheusRegistry = PrometheusRegistry(),
        perform: @escaping WorkLanes.Perform
    ) -> WorkLanes {
        WorkLanes(
            queue, lanes: lanes, pool: pools[process], metrics: WorkMetrics(queue, metrics), poll: .milliseconds(5), logger: Self.quiet,
            settled: Self.noteState, perform: perform)
    }

    /// Runs lanes until the body ends, and then lets them finish what they have in hand.
    func running(_ lanes: [WorkLanes], _ body: @Sendable () async throws -> Void) async throws {
        let group = ServiceGroup(configuration: ServiceGroupConfiguration(services: lanes.map { .init(service: $0) }, logger: Self.quiet))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            do { try await body() } catch {
                await group.triggerGracefulShutdown()
                throw error
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }
}

/// How often each piece of work was done.
final class CallRecord: Sendable {
    private let calls = Mutex<[Int64: Int]>([:])

    func note(_ id: Int64) { calls.withLock { $0[id, default: 0] += 1 } }

    var counts: [Int64: Int] { calls.withLock { $0 } }
    var total: Int { calls.withLock { $0.values.reduce(0, +) } }
}

struct NotReached: Error {}

/// Waits for a condition inside the body of ``WorkFixture/running(_:_:)``.
func until(_ condition: () async throws -> Bool) async throws {
    guard try await eventually(condition) else { throw NotReached() }
}
