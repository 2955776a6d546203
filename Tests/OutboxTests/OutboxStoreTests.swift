import Contracts
import Foundation
import Outbox
import Postgres
import TestSupport
import Testing

/// What a relay may write, and what it may not.
@Suite("Outbox store") struct OutboxStoreTests {
    private let database: TestDatabase
    private let pool: PostgresPool
    private let writer: PostgresPool

    init() async throws {
        database = try await TestDatabase.withOutbox()
        let options = PoolOptions(maximumConnections: 2, acquireTimeout: .seconds(30))
        pool = PostgresPool(configuration: try PostgresConfiguration(url: database.relayURL), options: options)
        writer = PostgresPool(configuration: try PostgresConfiguration(url: database.servingURL), options: options)
    }

    private func event(_ key: String) -> OutboxEvent {
        OutboxEvent(
            id: EventID(UUID()), type: "t.v1", subject: key, partitionKey: key, occurredAt: Timestamp(microsecondsSinceUnixEpoch: 1_000_000),
            traceparent: nil, data: Array("{}".utf8))
    }

    private func marks() async throws -> [Int64] {
        try await pool.withSession { session in
            try session.query("SELECT published_through FROM relay_partitions ORDER BY partition").map { row in try row.decode(Int64.self) }
        }
    }

    @Test("what a relay says of a partition that another has taken over is not written, and it is told so")
    func fenced() async throws {
        let events = [event("k")]
        try await writer.withTransaction { session in try OutboxWriter.append(events, session) }
        let (slow, quick) = (LeaseStore(owner: "slow"), LeaseStore(owner: "quick"))
        let leases = try await pool.withSession { session in try slow.acquire(session, atMost: 64, for: 0) }
        #expect(leases.count == 64)
        let (taken, returned) = try await pool.withSession { session in
            (try quick.acquire(session, atMost: 64, for: 60), try slow.renew(session, for: 60).leases)
        }
        #expect(taken.count == 64 && returned.isEmpty)
        #expect(zip(leases, taken).allSatisfy { $0.epoch < $1.epoch })

        // The slow one goes on with what it believes, under its own name and under the other's.
        let life = try await life()
        for owner in ["slow", "quick"] { try await expectNothingWritten(of: leases, by: owner, life: life) }
    }

    @Test("what was found in a former life of the server is not written, and the relay is told so")
    func formerLife() async throws {
        let events = [event("k")]
        try await writer.withTransaction { session in try OutboxWriter.append(events, session) }
        let leases = try await pool.withSession { session in try LeaseStore(owner: "a").acquire(session, atMost: 64, for: 60) }
        let life = try await life()
        let renewed = try await pool.withSession { session in try LeaseStore(owner: "a").renew(session, for: 60).leases }
        #expect((leases + renewed).allSatisfy { $0.life == life } && renewed.count == 64)
        try await expectNothingWritten(of: leases, by: "a", life: life - 1)
        try await expectNothingWritten(of: leases, by: "a", life: nil)
        #expect(try await lost(of: leases, by: "a", life: life).isEmpty)
        #expect(try await marks() == Array(repeating: 1, count: 64))
    }

    private func life() async throws -> Int64 {
        try await pool.withSession { session in
            try RelayStore(owner: "x").look(session, RelayProgress(), limit: 0, looksAtWriters: false, changes: RelayChanges()).life
        }
    }

    private func expectNothingWritten(of leases: [LeaseStore.Lease], by owner: String, life: Int64?) async throws {
        #expect(try await lost(of: leases, by: owner, life: life) == Set(0..<64))
        #expect(try await marks() == Array(repeating: 0, count: 64))
        let held = try await pool.withSession { session in try DeferredEventStore().counts(session).counts }
        #expect(held.isEmpty)
    }

    /// Writes marks of all partitions, and an event that failed.
    private func lost(of leases: [LeaseStore.Lease], by owner: String, life: Int64?) async throws -> Set<Int> {
        var progress = RelayProgress()
        if let life { _ = progress.isValid(in: life) }
        for lease in leases { progress.lease(lease.partition, epoch: lease.epoch, markedThrough: lease.markedThrough) }
        progress.read(through: 1)
        progress.reached(horizon: 1)
        var changes = RelayChanges()
        changes.marks = progress.marks(all: true)
        changes.held = [
            RelayChanges.Held(id: 1, partition: 3, epoch: 1, partitionKey: "k", state: .failing, attempts: 1, reason: "r", pause: 0)
        ]
        return try await pool.withSession { [changes, progress] session in
            try RelayStore(owner: owner).look(session, progress, limit: 0, looksAtWriters: false, changes: changes).lost
        }
    }

    private func execute(_ statement: String) async throws {
        try await pool.withSession { session in try session.execute(PostgresQuery(unsafeSQL: statement)) }
    }

    @Test("leases and members of a clock that was an hour ahead hold nothing up; those of a clock that is right do")
    func leasesFromTheFuture() async throws {
        let (dead, living) = (LeaseStore(owner: "dead"), LeaseStore(owner: "living"))
        _ = try await pool.withSession { session in
            _ = try dead.renew(session, for: 60)
            return try dead.acquire(session, atMost: 64, for: 60)
        }
        func take() async throws -> (leases: Int, members: Int) {
            try await pool.withSession { session in
                let members = try living.renew(session, for: 60).members
                return (try living.acquire(session, atMost: 64, for: 60).count, members)
            }
        }
        #expect(try await take() == (0, 2))
        // What it left that renewed for a minute while its server's clock was ahead.
        try await execute("UPDATE relay_partitions SET expires_at = clock_timestamp() + interval '61 minutes' WHERE owner = 'dead'")
        try await execute("UPDATE relay_members SET expires_at = clock_timestamp() + interval '61 minutes' WHERE owner = 'dead'")
        let events = [event("k")]
        try await writer.withTransaction { session in try OutboxWriter.append(events, session) }
        let unleased = try await pool.withSession { session in try OutboxUpkeep().backlog(session).oldestUnleased }
        #expect(unleased != nil)
        #expect(try await take() == (64, 1))
        // One that lives after all, under such a lease, finds that it has none.
        #expect(try await pool.withSession { session in try dead.renew(session, for: 60).leases.count } == 0)
    }

    @Test("events set aside by a clock that was an hour ahead are due, and in nobody's hands")
    func heldFromTheFuture() async throws {
        let events = (0..<3).map { event("key-\($0)") }
        try await writer.withTransaction { session in try OutboxWriter.append(events, session) }
        func hold(_ state: String, for pause: String) async throws {
            try await execute("DELETE FROM outbox_held")
            try await execute(
                """
                INSERT INTO outbox_held (id, partition, partition_key, state, attempts, next_attempt_at, reason, first_failed_at, last_failed_at)
                SELECT id, hashtextextended(partition_key, 0) & 63, partition_key, '\(state)', 1, now() + interval '\(pause)', 'r', now(), now()
                FROM outbox_events
                """)
        }
        let store = DeferredEventStore()
        for (pause, count) in [("299 seconds", 0), ("1 hour", 3), ("0", 3)] {
            try await hold("failing", for: pause)
            #expect(try await pool.withSession { session in try store.due(session, partitions: Array(0..<64), limit: 10).count } == count, "\(pause)")
            try await hold("parked", for: pause)
            #expect(try await pool.withSession { session in try store.discard(session, eventID: events[0].id, note: "n") } == (count > 0))
            try await hold("parked", for: pause)
            let ids = try await pool.withSession { session in try store.parked(session, DeferredEventStore.Selection(limit: 10)).map(\.id) }
            #expect(try await pool.withSession { session in try store.claimParked(session, ids: ids, for: 60).count } == count)
            // Claimed now, they are in somebody's hands.
            if count > 0 { #expect(try await pool.withSession { session in try store.claimParked(session, ids: ids, for: 60).count } == 0) }
        }
    }

    @Test("relays that ask at the same time share the partitions, each to one")
    func shared() async throws {
        let owners = (0..<6).map { "relay-\($0)" }
        let leases = try await withThrowingTaskGroup(of: [LeaseStore.Lease].self) { group in
            for owner in owners {
                group.addTask { try await pool.withSession { session in try LeaseStore(owner: owner).acquire(session, atMost: 11, for: 60) } }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(Set(leases.map(\.partition)).count == leases.count)
        #expect(leases.count <= 64)
    }

    @Test("marks and epochs do not go back, and events are neither changed nor deleted by relays")
    func refused() async throws {
        let events = [event("k")]
        try await writer.withTransaction { session in try OutboxWriter.append(events, session) }
        try await pool.withSession { session in
            for _ in 0..<3 { try session.execute("UPDATE relay_partitions SET epoch = epoch + 1 WHERE partition = 0") }
            try session.execute("UPDATE relay_partitions SET published_through = 1 WHERE partition = 0")
        }
        for statement in [
            "UPDATE relay_partitions SET published_through = 0 WHERE partition = 0", "UPDATE relay_partitions SET epoch = 2 WHERE partition = 0",
            "UPDATE relay_partitions SET epoch = 5 WHERE partition = 0", "UPDATE relay_partitions SET epoch = 9223372036854775807",
            "UPDATE outbox_events SET data = '{}'", "DELETE FROM outbox_events", "INSERT INTO relay_partitions (partition) VALUES (1)",
            "SELECT * FROM wallets", "SELECT prune_outbox(interval '1 minute', 10)",
        ] {
            await #expect(throws: PostgresError.self, "\(statement)") {
                try await pool.withSession { session in try session.execute(PostgresQuery(unsafeSQL: statement)) }
            }
        }
    }
}
