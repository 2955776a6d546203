import Contracts
import EventBroker
import Foundation
import Observability
import Postgres
import TestSupport
import Testing

@testable import EventConsumption

@Suite struct DeadLetterStoreTests {
    let fixture: ConsumptionFixture

    init() async throws { fixture = try await ConsumptionFixture() }

    @Test func `the same event is one dead letter, with the newer failure and the longer history`() async throws {
        let event = fixture.envelope(1)
        let early = Timestamp(microsecondsSinceUnixEpoch: 1_700_000_000_000_000)
        try await fixture.bury([event], kind: .transient)
        try await fixture.bury([event, event], kind: .refused, failedAt: early)
        let letter = try #require(await fixture.letters().first)
        #expect(try await fixture.letters().count == 1)
        #expect(letter.kind == .refused && letter.firstFailedAt == early && letter.lastFailedAt > early)
    }

    @Test func `a discarded one stays discarded; a replayed one is open again unless its event is applied`() async throws {
        let events = (1...3).map { fixture.envelope($0, minute: $0) }
        let letters = try await fixture.bury(events)
        let repository = DeadLetterRepository(consumer: fixture.name)
        try await fixture.pool.withTransaction { session in
            try repository.settle(letters[0].id, as: .discarded, run: nil, by: "tester", note: "no use", session)
            for letter in letters.dropFirst() { try repository.settle(letter.id, as: .replayed, run: nil, by: "tester", note: nil, session) }
            try session.execute(ProcessedEvents(consumer: fixture.name).insertion(of: [events[1]]))
            #expect(try !repository.settle(letters[0].id, as: .replayed, run: nil, by: "tester", note: nil, session))
        }
        try await fixture.bury(events)
        #expect(try await fixture.letters().map(\.status) == [.discarded, .replayed, .open])
    }

    @Test func `the same event with another body is kept as it came last, and is open again also when it was discarded`() async throws {
        let repository = DeadLetterRepository(consumer: fixture.name)
        let first = fixture.envelope(1, type: "test.thing.counted.v2")
        let mended = fixture.envelope(2, id: first.id)
        let id = try #require(await fixture.bury([first]).first).id
        func discard() async throws {
            try await fixture.pool.withTransaction { session in
                _ = try repository.settle(id, as: .discarded, run: nil, by: "tester", note: nil, session)
            }
        }
        try await discard()
        let letter = try #require(await fixture.bury([mended]).first)
        #expect(letter.id == id && letter.type == mended.type && letter.partitionKey == mended.partitionKey && letter.occurredAt == mended.time)
        let stored = try #require(await fixture.pool.withSession { session in try repository.take(id, session) })
        #expect(try stored.opened(fixture.keys, consumer: fixture.name).body == mended.wireBytes())
        // Whether it is the same under another key can't be told, so somebody shall look.
        try await discard()
        let rotated = try ConsumptionFixture.keys([ConsumptionFixture.key("second", 2), ConsumptionFixture.key("first", 1)])
        #expect(try await fixture.bury([mended], keys: rotated).map(\.id) == [id])
    }

    @Test func `a body opens with its key only, and for its own dead letter only`() async throws {
        let letters = try await fixture.bury([fixture.envelope(1, minute: 1), fixture.envelope(2, minute: 2)])
        let (name, keys) = (fixture.name, fixture.keys)
        let repository = DeadLetterRepository(consumer: name)
        let stored = try await fixture.pool.withSession { session in
            try letters.compactMap { letter in try repository.take(letter.id, session) }
        }
        let stolen = try ConsumptionFixture.keys([ConsumptionFixture.key("first", 9)])
        let rotated = try ConsumptionFixture.keys([ConsumptionFixture.key("second", 2), ConsumptionFixture.key("first", 1)])
        let other = try ConsumptionFixture.keys([ConsumptionFixture.key("second", 2)])
        #expect(String(decoding: try stored[0].opened(keys, consumer: name).body, as: UTF8.self).contains("\"number\":1"))
        #expect(try stored[0].opened(rotated, consumer: name).body == stored[0].opened(keys, consumer: name).body)
        #expect(throws: EventFailure.self) { try stored[0].opened(stolen, consumer: name) }
        #expect(throws: EventFailure.self) { try stored[0].opened(other, consumer: name) }
        #expect(throws: EventFailure.self) { try stored[0].opened(keys, consumer: "another") }
        let swapped = StoredDeadLetter(
            eventID: stored[0].eventID, type: nil, messageID: nil, contentType: nil, routingKey: "", body: stored[1].body, attempts: 1,
            publisher: .nobody)
        #expect(throws: EventFailure.self) { try swapped.opened(keys, consumer: name) }
        // Nothing of what is in it can be read from the row.
        let row: String = try await fixture.pool.withSession { session in
            try #require(session.query("SELECT encode(body, 'escape') || headers::text FROM dead_letter_events").first).decode(String.self)
        }
        #expect(!row.contains("number"))
    }

    @Test func `what the database refuses to store is stored without names and headers`() async throws {
        let event = fixture.envelope(1)
        let store = DeadLetterStore(consumer: fixture.name, keys: fixture.keys)
        let letter = DeadLetter(
            raw: fixture.raw(event), facts: EventFacts(event), failure: .poison("bad"), failedAt: Timestamp.now())
        try await fixture.pool.withTransaction { session in try store.recordReduced(letter, session) }
        let kept = try #require(await fixture.letters().first)
        #expect(kept.eventID == event.id && kept.type == nil)
        #expect(try await fixture.replay().run(DeadLetterReplay.Options(requestedBy: "tester")) { _, _, _ in }.replayed == 1)
    }

    @Test func `what is kept long enough is deleted by the owner's functions, and by nothing else`() async throws {
        let events = (1...3).map { fixture.envelope($0) }
        let letters = try await fixture.bury(events)
        let repository = DeadLetterRepository(consumer: fixture.name)
        try await fixture.pool.withTransaction { session in
            try session.execute(ProcessedEvents(consumer: fixture.name).insertion(of: events))
            for letter in letters.dropFirst() { try repository.settle(letter.id, as: .discarded, run: nil, by: "tester", note: nil, session) }
        }
        try await fixture.asOwner(
            "UPDATE processed_events SET processed_at = now() - interval '31 days' WHERE event_id <> '\(events[0].id.uuid)'",
            "UPDATE dead_letter_events SET settled_at = now() - interval '91 days' WHERE id = \(letters[1].id)")
        try await fixture.pool.withSession { session in
            #expect(throws: PostgresError.self) { try session.execute("DELETE FROM processed_events") }
            #expect(throws: PostgresError.self) { try session.execute("DELETE FROM dead_letter_events") }
            #expect(throws: PostgresError.self) { try session.execute("UPDATE dead_letter_events SET consumer = ''") }
            #expect(throws: PostgresError.self) { try session.execute("UPDATE processed_events SET processed_at = now()") }
            let counts = try [1, 100, 100].map { count in try ProcessedEvents.expire(session, atMost: count) }
            let letters = try DeadLetterStore.expire(session, atMost: 100)
            #expect(counts == [1, 1, 0] && letters == 1)
        }
        #expect(try await fixture.letters().count == 2)
    }

    @Test func `the counts say what is open and how old it is`() async throws {
        let store = DeadLetterStore(consumer: fixture.name, keys: fixture.keys)
        let empty = try await fixture.pool.withSession { session in try store.counts(session) }
        #expect(empty == DeadLetterStore.Counts())
        let hourAgo = Timestamp(microsecondsSinceUnixEpoch: Timestamp.now().microsecondsSinceUnixEpoch - 3_600_000_000)
        try await fixture.bury([fixture.envelope(1)], failedAt: hourAgo)
        try await fixture.bury([fixture.envelope(2), fixture.envelope(3)])
        _ = try await fixture.replay().run(DeadLetterReplay.Options(canary: 1, requestedBy: "tester")) { _, _, _ in }
        let counts = try await fixture.pool.withSession { session in try store.counts(session) }
        #expect(counts.open == 2 && counts.replayed == 1)
    }

    @Test func `filters find by id, type, class, time and status`() async throws {
        let first = fixture.envelope(1, minute: 1)
        let other = fixture.envelope(2, type: "test.thing.counted.v2", minute: 2)
        let hourAgo = Timestamp(microsecondsSinceUnixEpoch: Timestamp.now().microsecondsSinceUnixEpoch - 3_600_000_000)
        try await fixture.bury([first], failedAt: hourAgo)
        try await fixture.bury([other], kind: .unsupported)
        let repository = DeadLetterRepository(consumer: fixture.name)
        func found(_ filter: DeadLetterFilter) async throws -> [EventID?] {
            try await fixture.pool.withSession { session in try repository.list(filter, session).map(\.eventID) }
        }
        #expect(try await found(DeadLetterFilter()) == [first.id, other.id])
        #expect(try await found(DeadLetterFilter(limit: 1)) == [first.id])
        #expect(try await found(DeadLetterFilter(eventID: other.id)) == [other.id])
        #expect(try await found(DeadLetterFilter(type: other.type)) == [other.id])
        #expect(try await found(DeadLetterFilter(kind: .refused)) == [first.id])
        #expect(try await found(DeadLetterFilter(since: hourAgo.earlier(by: .seconds(-60)))) == [other.id])
        #expect(try await found(DeadLetterFilter(status: .replayed)).isEmpty)
        // Another consumer's are none of ours.
        let another = DeadLetterRepository(consumer: "another")
        #expect(try await fixture.pool.withSession { session in try another.list(DeadLetterFilter(status: nil), session) }.isEmpty)
    }
}
