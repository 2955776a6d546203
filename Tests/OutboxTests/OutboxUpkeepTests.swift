import Contracts
import Outbox
import Postgres
import TestSupport
import Testing

@Suite("Outbox upkeep") struct OutboxUpkeepTests {
    private static let published = 20_000
    private static let behind = 30_000
    private let database: TestDatabase
    private let pool: PostgresPool

    init() async throws {
        database = try await TestDatabase.withOutbox()
        pool = PostgresPool(configuration: try PostgresConfiguration(url: database.relayURL), options: PoolOptions(acquireTimeout: .seconds(30)))
    }

    /// An outbox whose statistics are those of before an outage of the broker.
    private func grow() async throws {
        let superuser = try await database.server.superuserConnection(database: database.name)
        try await superuser.withSession { session in
            func add(_ count: Int) throws {
                try session.execute(
                    """
                    INSERT INTO outbox_events (event_id, type, subject, partition_key, occurred_at, data)
                    SELECT gen_random_uuid(), 't.v1', 'k' || n, 'k' || n, '2026-01-01'::timestamptz + n * interval '1 second', '{}'
                    FROM generate_series(1, \(Int64(count))) n
                    """)
            }
            try session.execute("ALTER TABLE outbox_events SET (autovacuum_enabled = false)")
            try add(Self.published)
            try session.execute("UPDATE relay_partitions SET published_through = (SELECT max(id) FROM outbox_events)")
            try session.execute("ANALYZE outbox_events")
            try add(Self.behind)
        }
        await superuser.close()
    }

    private func expectBacklog(_ count: Int, oldestUnleased: Timestamp?) async throws {
        let backlog = try await pool.withSession { session in try OutboxUpkeep().backlog(session) }
        #expect(backlog.count == count && backlog.oldestUnleased == oldestUnleased, "\(backlog)")
    }

    @Test("the oldest event behind the marks is told while no relay leases its partition")
    func oldest() async throws {
        try await expectBacklog(0, oldestUnleased: nil)
        try await grow()
        // 2026-01-01T00:00:01Z.
        let first = Timestamp(microsecondsSinceUnixEpoch: 1_767_225_601_000_000)
        try await expectBacklog(OutboxUpkeep.countedAtMost, oldestUnleased: first)
        let leases = LeaseStore(owner: "a")
        let leased = try await pool.withSession { session in try leases.acquire(session, atMost: 64, for: 60).map(\.partition) }
        try await expectBacklog(OutboxUpkeep.countedAtMost, oldestUnleased: nil)
        try await pool.withSession { session in try leases.release(session, leased) }
        try await expectBacklog(OutboxUpkeep.countedAtMost, oldestUnleased: first)
    }

    @Test("a backlog that the statistics don't know of is not read as a whole")
    func plan() async throws {
        try await grow()
        let query = OutboxUpkeep.backlogQuery(
            marks: Array(repeating: Int64(Self.published), count: OutboxPartition.count),
            areUnleased: Array(repeating: true, count: OutboxPartition.count))
        let plan = try await pool.withSession { session in
            try session.query(PostgresQuery(unsafeSQL: "EXPLAIN (ANALYZE, TIMING OFF) " + query.sql, binds: query.binds)).map { row in
                try row.decode(String.self)
            }
        }
        let text = plan.joined(separator: "\n")
        #expect(plan.contains { $0.contains("Index Scan using outbox_events_pkey") && $0.contains("rows=\(OutboxUpkeep.countedAtMost) ") }, "\(text)")
        #expect(!text.contains("Sort"), "\(text)")
    }
}
