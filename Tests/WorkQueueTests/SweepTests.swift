import Observability
import Postgres
import ServiceDatabase
import TestSupport
import Testing

@testable import WorkQueue

@Suite("Leases that end, work that is too old, and what is kept")
struct SweepTests {
    @Test("NT-01: a lease without an outcome leaves the work unknown, and nobody claims it again")
    func lost() async throws {
        let fixture = try await WorkFixture()
        let queue = WorkFixture.queue(lease: .milliseconds(1))
        let id = try await fixture.add(queue)[0]
        _ = try await fixture.claim(queue)
        #expect(try await eventually { try await fixture.sweep(queue).lost == [.unknown: [id]] })
        #expect(try await fixture.claim(queue).isEmpty)
        #expect(try await fixture.sweep(queue) == WorkQueue.Swept(lost: [:], expired: []))
    }

    @Test("a lease that still runs is nobody else's")
    func running() async throws {
        let fixture = try await WorkFixture()
        let queue = WorkFixture.queue()
        try await fixture.add(queue)
        _ = try await fixture.claim(queue)
        #expect(try await fixture.sweep(queue).lostCount == 0)
    }

    @Test("work that can be repeated is tried again after a lost lease, and is dead after its last attempt")
    func repeatable() async throws {
        let fixture = try await WorkFixture()
        let queue = WorkFixture.queue(attempts: 2, lease: .milliseconds(1), isRepeatable: true)
        let id = try await fixture.add(queue)[0]
        _ = try await fixture.claim(queue)
        #expect(try await eventually { try await fixture.sweep(queue).lost == [.waiting: [id]] })
        _ = try await fixture.claim(queue)
        #expect(try await eventually { try await fixture.sweep(queue).lost == [.dead: [id]] })
    }

    @Test("a lease from a clock that was far ahead counts as ended")
    func fromTheFuture() async throws {
        let fixture = try await WorkFixture()
        let queue = WorkFixture.queue()
        let id = try await fixture.add(queue)[0]
        _ = try await fixture.claim(queue)
        let owner = try await PostgresConnection.connect(PostgresConfiguration(url: fixture.database.ownerURL))
        try await owner.withSession { session in
            try session.execute("ALTER TABLE work_items DISABLE TRIGGER USER")
            try session.execute("UPDATE work_items SET leased_until = now() + interval '1 day'")
            try session.execute("ALTER TABLE work_items ENABLE TRIGGER USER")
        }
        await owner.close()
        #expect(try await fixture.sweep(queue).lost == [.unknown: [id]])
    }

    @Test("work is not begun when its time is over; it expires, and its service is asked in the same transaction")
    func expired() async throws {
        let fixture = try await WorkFixture()
        let queue = WorkFixture.queue()
        let id = try await fixture.add(queue, expiresIn: .seconds(-1))[0]
        #expect(try await fixture.claim(queue).isEmpty)
        let registry = PrometheusRegistry()
        let upkeep = WorkUpkeep(
            queue, pool: fixture.pool, clock: ClockWitness(), metrics: WorkMetrics(queue, registry), retention: .seconds(86_400),
            logger: WorkFixture.quiet, settled: WorkFixture.noteState)
        try await upkeep.sweep()
        #expect(try await fixture.state(id) == .expired)
        let noted = try await fixture.pool.withSession { session in
            try session.query("SELECT last_state FROM pieces WHERE work_item = \(id)")[0].decode(String?.self)
        }
        #expect(noted == "expired")
        #expect(registry.render().contains("work_expired_total{queue=\"pieces\"} 1"))
    }

    @Test("only what is over is deleted, after its time, and the service's rows with it")
    func retention() async throws {
        let fixture = try await WorkFixture()
        let queue = WorkFixture.queue()
        let ids = try await fixture.add(queue, 3)
        let claims = try await fixture.claim(queue, atMost: 2)
        _ = try await fixture.settle(queue, claims[0], .done)
        _ = try await fixture.settle(queue, claims[1], .refused("550"))
        let owner = try await PostgresConnection.connect(PostgresConfiguration(url: fixture.database.ownerURL))
        try await owner.withSession { session in
            try session.execute("ALTER TABLE work_items DISABLE TRIGGER USER")
            try session.execute("UPDATE work_items SET settled_at = now() - interval '2 days' WHERE state = 'done'")
            try session.execute("ALTER TABLE work_items ENABLE TRIGGER USER")
        }
        await owner.close()
        func expire(_ age: Duration) async throws -> Int {
            try await fixture.pool.withTransaction { session in try queue.expire(session, olderThan: age, atMost: 100) }
        }
        #expect(try await expire(.seconds(3 * 86_400)) == 0)
        #expect(try await expire(.seconds(86_400)) == 1)
        await #expect(throws: PostgresError.self) { _ = try await expire(.seconds(60)) }
        let left = try await fixture.pool.withSession { session in
            try session.query("SELECT work_item FROM pieces ORDER BY 1").map { try $0.decode(Int64.self) }
        }
        #expect(Set(left) == Set(ids).subtracting([claims[0].id]))
    }

    @Test("every series of a queue is there at 0 from the start, and the gauges follow the table")
    func metrics() async throws {
        let fixture = try await WorkFixture()
        let queue = WorkFixture.queue()
        let registry = PrometheusRegistry()
        let metrics = WorkMetrics(queue, registry)
        for outcome in ["done", "again", "dead", "unknown", "fenced"] {
            #expect(registry.render().contains("work_attempts_total{outcome=\"\(outcome)\",queue=\"pieces\"} 0"))
        }
        for state in ["waiting", "working", "unknown", "dead"] {
            #expect(registry.render().contains("work_items{queue=\"pieces\",state=\"\(state)\"} 0"))
        }
        #expect(registry.render().contains("work_leases_lost_total{queue=\"pieces\"} 0"))
        try await fixture.add(queue, 3)
        let claim = try await fixture.claim(queue)
        _ = try await fixture.settle(queue, claim[0], .unknown("silence"))
        metrics.set(try await fixture.pool.withSession { session in try queue.counts(session) })
        #expect(registry.render().contains("work_items{queue=\"pieces\",state=\"waiting\"} 2"))
        #expect(registry.render().contains("work_items{queue=\"pieces\",state=\"unknown\"} 1"))
    }
}
