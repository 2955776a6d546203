import AMQP
import Contracts
import EventBroker
import Foundation
import Observability
import Postgres
import StrictJSON
import Synchronization
import TestSupport
import Testing

@testable import EventConsumption

@Suite struct DeadLetterReplayTests {
    let fixture: ConsumptionFixture

    init() async throws { fixture = try await ConsumptionFixture() }

    private func options(_ change: (inout DeadLetterReplay.Options) -> Void = { _ in }) -> DeadLetterReplay.Options {
        var options = DeadLetterReplay.Options(requestedBy: "tester", note: "cause mended")
        change(&options)
        return options
    }

    private func run(_ replay: DeadLetterReplay, _ options: DeadLetterReplay.Options? = nil) async throws -> ReplaySummary {
        try await replay.run(options ?? self.options()) { _, _, _ in }
    }

    private struct Run: Equatable, Sendable {
        var requestedBy: String
        var ending: String?
        var selected: Int32
        var replayed: Int32
        var alreadyApplied: Int32
        var failed: Int32
        var skipped: Int32
    }

    private func runs() async throws -> [Run] {
        try await fixture.pool.withSession { session in
            try session.query(
                "SELECT requested_by, ending, selected, replayed, already_applied, failed, skipped FROM replay_runs ORDER BY id"
            ).map { row in
                let (requestedBy, ending, selected, replayed, alreadyApplied, failed, skipped) = try row.decode(
                    String.self, String?.self, Int32.self, Int32.self, Int32.self, Int32.self, Int32.self)
                return Run(
                    requestedBy: requestedBy, ending: ending, selected: selected, replayed: replayed, alreadyApplied: alreadyApplied,
                    failed: failed, skipped: skipped)
            }
        }
    }

    @Test func `the record says how a run was asked for`() async throws {
        let envelope = fixture.envelope(1)
        try await fixture.bury([envelope, fixture.envelope(2)])
        let narrow = options {
            $0.filter.eventID = envelope.id
            $0.canary = 3
            $0.rate = 12.5
            $0.isForced = true
        }
        _ = try await run(fixture.replay(), narrow)
        _ = try await run(fixture.replay())
        let filters = try await fixture.pool.withSession { session in
            try session.query("SELECT filter::text FROM replay_runs ORDER BY id").map { row in
                try JSONParser.parse(Array(try row.decode(String.self).utf8))
            }
        }
        #expect(filters.map { $0["force"] } == [.bool(true), .bool(false)])
        #expect(filters.map { $0["canary"] } == [.number("3"), nil] && filters.map { $0["rate"] } == [.number("12.5"), nil])
        #expect(filters.map { $0["event_id"] } == [.string(envelope.id.description), nil])
    }

    @Test func `effects, dead letters and the record of a replay are durable, whatever the role's settings say`() async throws {
        let record = try await DurabilityRecord(of: fixture.database)
        let old = fixture.envelope(2, minute: -60 * 24 * 30)
        try await fixture.bury([fixture.envelope(1), old, fixture.envelope(3)])
        let handler = TestHandler { event, _ in if event.payload == 3 { throw EventFailure(.refused, "the test said so") } }
        let summary = try await run(fixture.replay(handler))
        #expect(summary.replayed == 1 && summary.tooOld == 1 && summary.failed == 1, "\(summary)")
        let seen = try await record.seen()
        #expect(
            seen.changed.isSuperset(of: ["effects", "processed_events", "dead_letter_events", "replay_runs"]), "\(seen.changed.sorted())")
        #expect(seen.atRisk == [])
    }

    @Test func `one of a type that is ignored by now is settled, and counts as replayed`() async throws {
        try await fixture.bury([fixture.envelope(1, type: fixture.ignoredType)])
        let summary = try await run(fixture.replay())
        #expect(summary.ignored == 1 && summary.isSuccess)
        #expect(try await fixture.letters().map(\.status) == [.replayed])
        #expect(try await runs().map { [$0.replayed, $0.skipped] } == [[1, 0]])
    }

    @Test func `a replay applies each once, oldest event first, and marks it; another finds nothing to do`() async throws {
        try await fixture.bury([fixture.envelope(2, minute: 2), fixture.envelope(1, minute: 1), fixture.envelope(3, minute: 3)])
        let summary = try await run(fixture.replay())
        #expect(summary.replayed == 3 && summary.isSuccess && summary.ending == .completed)
        #expect(try await fixture.numbers() == [1, 2, 3])
        #expect(try await fixture.letters().allSatisfy { $0.status == .replayed && $0.note == "cause mended" })
        #expect(try await run(fixture.replay()).selected == 0)
        #expect(
            try await runs() == [
                Run(requestedBy: "tester", ending: "completed", selected: 3, replayed: 3, alreadyApplied: 0, failed: 0, skipped: 0)
            ])
    }

    @Test func `one that was applied meanwhile is only marked`() async throws {
        let event = fixture.envelope(1)
        try await fixture.bury([event])
        let processed = ProcessedEvents(consumer: fixture.name)
        try await fixture.pool.withSession { session in try session.execute(processed.insertion(of: [event])) }
        let plan = try await fixture.replay().plan(DeadLetterFilter())
        #expect(plan.items.map(\.verdict) == [.alreadyApplied])
        let summary = try await run(fixture.replay())
        #expect(summary.alreadyApplied == 1 && summary.replayed == 0 && summary.isSuccess)
        #expect(try await fixture.numbers().isEmpty)
        #expect(try await fixture.letters().first?.status == .replayed)
    }

    @Test func `one that fails again stays open with the newer failure, and undoes nothing of the others`() async throws {
        try await fixture.bury((1...3).map { fixture.envelope($0, minute: $0) })
        let replay = fixture.replay(TestHandler { event, _ in if event.payload == 2 { throw EventFailure.refused("still not") } })
        let summary = try await run(replay)
        #expect(summary.replayed == 2 && summary.failed == 1 && !summary.isSuccess)
        #expect(try await fixture.numbers() == [1, 3])
        let open = try await fixture.letters(.open)
        #expect(open.map(\.reason) == ["still not"] && open.first?.attempts == 2)
        #expect(try await run(fixture.replay()).replayed == 1)
        #expect(try await fixture.numbers() == [1, 3, 2])
        #expect(try await runs().map(\.failed) == [1, 0])
    }

    @Test func `the plan tells new from applied and from overtaken, and changes nothing`() async throws {
        let overtaken = fixture.envelope(1, key: "a", minute: 1)
        let later = fixture.envelope(2, key: "a", minute: 2)
        let first = fixture.envelope(3, key: "b", minute: 3)
        let second = fixture.envelope(4, key: "b", minute: 4)
        try await fixture.bury([overtaken, first, second])
        let processed = ProcessedEvents(consumer: fixture.name)
        try await fixture.pool.withSession { session in try session.execute(processed.insertion(of: [later])) }
        let plan = try await fixture.replay().plan(DeadLetterFilter())
        #expect(plan.items.map(\.letter.eventID) == [overtaken.id, first.id, second.id])
        #expect(plan.items.map(\.verdict) == [.outOfOrder, .outOfOrder, .new])
        #expect(plan.items[0].detail?.contains("applied") == true && plan.items[1].detail?.contains("dead letter") == true)
        #expect(try await fixture.numbers().isEmpty)
        #expect(try await runs().isEmpty)
        #expect(try await fixture.letters(.open).count == 3)
    }

    @Test func `a canary stops after so many, and a dry run changes nothing`() async throws {
        try await fixture.bury((1...5).map { fixture.envelope($0, minute: $0) })
        let dry = try await run(fixture.replay(), options { $0.isDryRun = true })
        #expect(dry.replayed == 5 && dry.run == nil)
        #expect(try await fixture.numbers().isEmpty)
        let canary = try await run(fixture.replay(), options { $0.canary = 2 })
        #expect(canary.replayed == 2 && canary.ending == .canary && canary.isSuccess)
        #expect(try await fixture.numbers() == [1, 2])
        #expect(try await runs().map(\.ending) == ["canary"])
        let failing = try await run(
            fixture.replay(TestHandler { _, _ in throw EventFailure.refused("no") }),
            options {
                $0.canary = 1
                $0.isDryRun = true
            })
        #expect(failing.failed == 1 && !failing.isSuccess)
        #expect(try await fixture.letters(.open).allSatisfy { $0.attempts == 1 })
    }

    @Test func `a rate is kept`() async throws {
        try await fixture.bury((1...5).map { fixture.envelope($0) })
        let started = ContinuousClock.now
        let summary = try await run(fixture.replay(), options { $0.rate = 20 })
        #expect(summary.replayed == 5)
        #expect(ContinuousClock.now - started >= .milliseconds(200))
    }

    @Test func `ten failures in a row end a run, and the others wait`() async throws {
        try await fixture.bury((1...15).map { fixture.envelope($0, minute: $0) })
        let summary = try await run(fixture.replay(TestHandler { _, _ in throw EventFailure.transient("not mended") }))
        #expect(summary.failed == 10 && summary.ending == .circuitOpen && !summary.isSuccess)
        #expect(try await fixture.letters(.open).count { $0.attempts == 1 } == 5)
        #expect(try await runs().map(\.ending) == ["circuit_open"])
    }

    @Test func `two at once share the work and double nothing`() async throws {
        try await fixture.bury((0..<40).map { fixture.envelope($0) })
        async let first = run(fixture.replay())
        async let second = run(fixture.replay())
        let summaries = try await [first, second]
        #expect(summaries.map(\.replayed).reduce(0, +) == 40)
        #expect(summaries.map(\.failed) == [0, 0])
        #expect(try await fixture.numbers().sorted() == Array(0..<40))
        #expect(try await runs().map { Int($0.replayed + $0.skipped) }.reduce(0, +) >= 40)
    }

    @Test func `one that another settles meanwhile is no failure, one that another keeps open is`() async throws {
        let events = (1...3).map { fixture.envelope($0, minute: $0) }
        try await fixture.bury(events)
        let settled = events[1].id.uuid
        // While the first is replayed, somebody discards the second.
        let replay = fixture.replay(
            TestHandler { event, session in
                guard event.payload == 1 else { return }
                try session.execute("UPDATE dead_letter_events SET status = 'discarded', settled_at = now() WHERE event_id = \(settled)")
            })
        let summary = try await run(replay)
        #expect(summary.replayed == 2 && summary.taken == 1 && summary.takenStillOpen == 0 && summary.isSuccess)
        let held = fixture.envelope(4)
        try await fixture.bury([held])
        try await fixture.database.server.holding(
            "SELECT FROM dead_letter_events WHERE event_id = '\(held.id.uuid)' FOR UPDATE", database: fixture.database.name
        ) {
            let summary = try await run(fixture.replay())
            #expect(summary.taken == 1 && summary.takenStillOpen == 1 && summary.tried == 0 && !summary.isSuccess)
        }
        #expect(try await run(fixture.replay()).isSuccess)
        #expect(try await fixture.numbers() == [1, 3, 4])
    }

    @Test func `a run that is killed leaves a true count, and the next goes on there`() async throws {
        try await fixture.bury((0..<30).map { fixture.envelope($0, minute: $0) })
        let applied = Atomic<Int>(0)
        let replay = fixture.replay(TestHandler { _, _ in applied.add(1, ordering: .relaxed) })
        let task = Task { try await run(replay, options { $0.rate = 200 }) }
        #expect(try await eventually { applied.load(ordering: .relaxed) >= 5 })
        task.cancel()
        await #expect(throws: (any Error).self) { try await task.value }
        let before = try await fixture.numbers().count
        #expect(before < 30)
        #expect(try await runs().first.map { Int($0.replayed) } == before)
        #expect(try await run(fixture.replay()).replayed == 30 - before)
        #expect(try await fixture.numbers() == Array(0..<30))
    }

    @Test func `one older than a fortnight is replayed by force only`() async throws {
        try await fixture.bury([fixture.envelope(1)])
        let later = Timestamp(microsecondsSinceUnixEpoch: Timestamp.now().microsecondsSinceUnixEpoch + 15 * 86_400 * 1_000_000)
        #expect(try await fixture.replay(now: later).plan(DeadLetterFilter()).items.map(\.isTooOld) == [true])
        let refused = try await run(fixture.replay(now: later))
        #expect(refused.tooOld == 1 && refused.replayed == 0 && !refused.isSuccess)
        #expect(try await run(fixture.replay(now: later), options { $0.isForced = true }).replayed == 1)
        #expect(try await runs().map(\.skipped) == [1, 0])
    }

    @Test func `a replay that meets the same event from the broker waits for it and applies it once`() async throws {
        let event = fixture.envelope(1)
        try await fixture.bury([event])
        let gate = Gate()
        let application = EventApplication(fixture.subscription(TestHandler { _, _ in gate.pass() }), transaction: TransactionOptions())
        let decoded = try #require(read(event))
        async let live = application.apply([decoded], on: fixture.pool)
        #expect(try await eventually { gate.waiting == 1 })
        async let replayed = run(fixture.replay())
        let waits = try await eventually {
            try await fixture.pool.withSession { session in
                try session.query("SELECT 1 FROM pg_locks WHERE NOT granted").rowCount > 0
            }
        }
        #expect(waits)
        gate.open()
        #expect(try await live.count == 1)
        #expect(try await replayed.alreadyApplied == 1)
        #expect(try await fixture.numbers() == [1])
    }

    /// Writes dead letters as they come from this publisher.
    private func bury(_ envelope: EventEnvelope, from publisher: EventPublisher) async throws {
        let message = fixture.message(envelope)
        let raw = RawMessage(
            body: message.body, messageID: message.messageID, contentType: message.contentType, type: message.type, routingKey: envelope.type,
            publisher: publisher, headers: [:], attempt: 1, firstFailedAt: nil)
        guard case .failed(let failure, let facts) = fixture.subscription(TestHandler()).read(raw, now: Timestamp.now()) else {
            Issue.record("it is taken")
            return
        }
        let store = DeadLetterStore(consumer: fixture.name, keys: fixture.keys)
        let letter = DeadLetter(raw: raw, facts: facts, failure: failure, failedAt: Timestamp.now())
        try await fixture.pool.withTransaction { session in try store.record([letter], session) }
    }

    @Test(arguments: [EventPublisher.nobody, .user("ops-risk-relay")])
    func `a replay judges a forged event as its delivery was judged, unless somebody vouches for it`(publisher: EventPublisher) async throws {
        try await bury(fixture.envelope(1), from: publisher)
        #expect(try await fixture.letters().map(\.kind) == [.forged])
        for force in [false, true] {
            let summary = try await run(fixture.replay(), options { $0.isForced = force })
            #expect(summary.failed == 1)
        }
        #expect(try await fixture.numbers().isEmpty)
        #expect(try await fixture.letters(.open).map(\.kind) == [.forged])
        #expect(try await run(fixture.replay(), options { $0.isVouchedFor = true }).replayed == 1)
        #expect(try await fixture.numbers() == [1])
        let filters = try await fixture.pool.withSession { session in
            try session.query("SELECT filter -> 'genuine' = 'true' FROM replay_runs ORDER BY id").map { row in
                try row.decode(Bool?.self)
            }
        }
        #expect(filters == [nil, nil, true])
    }

    @Test func `a dead letter from before publishers were kept is replayed as it was`() async throws {
        try await fixture.bury([fixture.envelope(1)])
        try await fixture.asOwner("UPDATE dead_letter_events SET published_by = NULL")
        #expect(try await run(fixture.replay()).replayed == 1)
    }

    private func read(_ envelope: EventEnvelope) -> DecodedEvent? {
        guard case .event(let event) = fixture.subscription(TestHandler()).read(fixture.raw(envelope), now: Timestamp.now()) else { return nil }
        return event
    }
}
