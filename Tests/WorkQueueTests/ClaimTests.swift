import Postgres
import TestSupport
import Testing

@testable import WorkQueue

@Suite("Claiming and settling work")
struct ClaimTests {
    @Test("what was added first is claimed first, once, with its attempt counted")
    func order() async throws {
        let fixture = try await WorkFixture()
        let queue = WorkFixture.queue()
        let ids = try await fixture.add(queue, 3)
        #expect(try await fixture.claim(queue, atMost: 2).map(\.id).sorted() == Array(ids.prefix(2)))
        let last = try await fixture.claim(queue, atMost: 2)
        #expect(last.map(\.id) == [ids[2]] && last[0].attempt == 1 && last[0].epoch == 1)
        #expect(try await fixture.claim(queue).isEmpty)
    }

    @Test("one queue sees nothing of another's")
    func queues() async throws {
        let fixture = try await WorkFixture()
        let (one, other) = (WorkFixture.queue(name: "one"), WorkFixture.queue(name: "other"))
        let id = try await fixture.add(one)[0]
        #expect(try await fixture.claim(other).isEmpty)
        let claim = try #require(try await fixture.claim(one).first)
        #expect(try await fixture.settle(other, claim, .done) == nil)
        #expect(try await fixture.state(id) == .working)
    }

    @Test("64 claims side by side find each of 64 pieces once")
    func race() async throws {
        let fixture = try await WorkFixture()
        let queue = WorkFixture.queue()
        let ids = try await fixture.add(queue, 64)
        let claimed = try await withThrowingTaskGroup(of: [WorkClaim].self) { group in
            for _ in 0..<64 { group.addTask { try await fixture.claim(queue) } }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(Set(claimed.map(\.id)).count == claimed.count)
        // A claim that met only rows that others were claiming found none; nothing is left behind.
        let rest = try await fixture.claim(queue, atMost: 64)
        #expect(Set(claimed.map(\.id) + rest.map(\.id)) == Set(ids) && claimed.count + rest.count == 64)
    }

    @Test("work that failed for now waits for its pause, and is dead after its last attempt")
    func attempts() async throws {
        let fixture = try await WorkFixture()
        let queue = WorkFixture.queue(attempts: 2)
        let id = try await fixture.add(queue)[0]
        let first = try #require(try await fixture.claim(queue).first)
        #expect(try await fixture.settle(queue, first, .again("451")) == .waiting)
        let second = try #require(try await fixture.claim(queue).first)
        #expect(second.attempt == 2)
        #expect(try await fixture.settle(queue, second, .again("451")) == .dead)
        #expect(try await fixture.state(id) == .dead)
        let slow = WorkFixture.queue(pause: .seconds(3_600), name: "slow")
        try await fixture.add(slow)
        let claim = try #require(try await fixture.claim(slow).first)
        // The pause is drawn from the whole of an hour: the chance that it is over by now is less than one in a million a second.
        #expect(try await fixture.settle(slow, claim, .again("451")) == .waiting)
        let due = try await fixture.pool.withSession { session in
            try session.query("SELECT due_at > now() FROM work_items WHERE queue = 'slow'")[0].decode(Bool.self)
        }
        #expect(due)
    }

    @Test("the outcome of an earlier claim changes nothing once the work was claimed again")
    func fencing() async throws {
        let fixture = try await WorkFixture()
        let queue = WorkFixture.queue(lease: .milliseconds(1), isRepeatable: true)
        let id = try await fixture.add(queue)[0]
        let stale = try #require(try await fixture.claim(queue).first)
        #expect(try await eventually { try await fixture.sweep(queue).lostCount == 1 })
        let current = try #require(try await fixture.claim(queue).first)
        #expect(current.epoch == stale.epoch + 1)
        #expect(try await fixture.settle(queue, stale, .refused("late")) == nil)
        #expect(try await fixture.state(id) == .working)
        #expect(try await fixture.settle(queue, current, .done) == .done)
        #expect(try await fixture.settle(queue, current, .done) == nil)
    }

    @Test(
        "an outcome that comes after its lease counts while nobody has claimed the work again",
        arguments: [WorkOutcome.done, .refused("550"), .again("451")])
    func late(outcome: WorkOutcome) async throws {
        let fixture = try await WorkFixture()
        let queue = WorkFixture.queue(lease: .milliseconds(1))
        let id = try await fixture.add(queue)[0]
        let claim = try #require(try await fixture.claim(queue).first)
        #expect(try await eventually { try await fixture.sweep(queue).lostCount == 1 })
        #expect(try await fixture.state(id) == .unknown)
        let expected = queue.policy.step(after: outcome, attempt: 1).state
        #expect(try await fixture.settle(queue, claim, outcome) == expected)
    }

    @Test(
        "the database refuses what no claim and no outcome does",
        arguments: [
            "UPDATE work_items SET epoch = epoch + 1", "UPDATE work_items SET epoch = epoch - 1",
            "UPDATE work_items SET state = 'working', leased_until = now()", "UPDATE work_items SET state = 'done'",
            "UPDATE work_items SET state = 'unknown'", "DELETE FROM work_items", "UPDATE work_items SET kind = 'x'",
        ])
    func refused(statement: String) async throws {
        let fixture = try await WorkFixture()
        try await fixture.add(WorkFixture.queue())
        await #expect(throws: PostgresError.self) {
            try await fixture.pool.withTransaction { session in _ = try session.execute(PostgresQuery(unsafeSQL: statement)) }
        }
    }

    @Test("what is over stays over", arguments: ["waiting", "dead", "discarded"])
    func over(state: String) async throws {
        let fixture = try await WorkFixture()
        let queue = WorkFixture.queue()
        try await fixture.add(queue)
        let claim = try #require(try await fixture.claim(queue).first)
        #expect(try await fixture.settle(queue, claim, .done) == .done)
        let error = await #expect(throws: PostgresError.self) {
            try await fixture.pool.withTransaction { session in
                _ = try session.execute("UPDATE work_items SET state = \(state), settled_at = now()")
            }
        }
        #expect(error?.constraintName == "work_items_end_once")
    }
}
