import AMQP
import Contracts
import EventBroker
import Foundation
import Logging
import Observability
import Postgres
import ServiceDatabase
import ServiceLifecycle
import ServiceRuntime
import Synchronization
import TestSupport
import Testing
import Tracing

@testable import EventConsumption

extension EventConsumerBrokerTests {
    @Suite struct EventConsumerTests {
        let fixture: BrokerFixture
        var base: ConsumptionFixture { fixture.base }

        init() async throws { fixture = try await BrokerFixture() }

        @Test func `an event that comes three times, also over a new connection, has its effect once`() async throws {
            let events = (0..<60).map { base.envelope($0) }
            let consumer = try fixture.consumer(TestHandler(), options: fixture.options(batchLimit: 7, prefetch: 20))
            try await fixture.declare()
            try await fixture.publish(events + events)
            try await fixture.running([consumer]) {
                #expect(try await eventually { try await base.numbers().count >= 10 })
                try await fixture.broker.control("close_all_connections", "by a test")
                try await fixture.publish(events)
                try await fixture.expectApplied(0..<60)
                try await fixture.expectEmptyQueues()
            }
            try await fixture.expectApplied(0..<60)
            #expect(consumer.consumed("applied") == 60)
            #expect(consumer.consumed("duplicate") >= 120)
            #expect(try await base.letters().isEmpty)
        }

        @Test func `a batch keeps the order of arrival and goes to its handler in one call`() async throws {
            let handler = TestHandler()
            try await fixture.declare()
            try await fixture.publish((0..<20).map { base.envelope($0) })
            try await fixture.running([fixture.consumer(handler)]) { try await fixture.expectApplied(0..<20) }
            #expect(try await base.numbers() == Array(0..<20))
            #expect(handler.calls.withLock { $0.contains { $0.count > 1 } })
        }

        @Test func `a bad event in the middle of a batch takes no other with it`() async throws {
            let handler = TestHandler { event, _ in
                if event.payload == 5 { throw EventFailure.refused("five is never taken") }
            }
            var poison = base.message(base.envelope(8))
            poison.body = Array(String(decoding: poison.body, as: UTF8.self).replacing("\"number\":8", with: "\"number\":\"secret-8\"").utf8)
            let others = [0, 1, 2, 3, 4, 6, 7, 9]
            var messages = (0..<10).map { base.message(base.envelope($0)) }
            messages[8] = poison
            try await fixture.declare()
            try await fixture.publish(messages: messages)
            let consumer = try fixture.consumer(handler)
            try await fixture.running([consumer]) {
                try await fixture.expectApplied(others)
                #expect(try await eventually { try await base.letters().count == 2 })
                #expect(try await eventually { consumer.metric("dead_letters_open") == 2 })
                try await fixture.expectEmptyQueues()
            }
            #expect(try await base.numbers() == others)
            let letters = try await base.letters()
            #expect(Set(letters.map(\.kind)) == [.refused, .poison])
            #expect(letters.allSatisfy { $0.attempts == 1 && $0.status == .open && $0.eventID != nil })
            #expect(consumer.consumed("applied") == 8 && consumer.consumed("dead_lettered") == 2 && consumer.consumed("retried") == 0)
            #expect(consumer.metric("event_dead_letters_total", "class=\"refused\"") == 1)
            #expect(letters.contains { $0.reason == "five is never taken" })
        }

        @Test func `when one event after the other waits for a lock in vain, the rest of the batch is not tried one by one`() async throws {
            let gate = Gate()
            let timeOuts = Atomic<Int>(0)
            let handler = TestHandler { event, session in
                if event.payload == 0 { return gate.pass() }
                guard event.attempt == 1 else { return }
                timeOuts.add(1, ordering: .relaxed)
                try session.execute("DO $$ BEGIN RAISE EXCEPTION 'locked' USING ERRCODE = '55P03'; END $$")
            }
            let consumer = try fixture.consumer(handler)
            try await fixture.declare()
            try await fixture.publish([base.envelope(0)])
            try await fixture.running([consumer]) {
                #expect(try await eventually { gate.waiting == 1 })
                try await fixture.publish((1...20).map { base.envelope($0) })
                #expect(try await eventually { consumer.metric("amqp_unsettled") == 21 })
                gate.open()
                try await fixture.expectApplied(0...20)
            }
            // Once together, and three alone.
            #expect(timeOuts.load(ordering: .relaxed) == 4)
        }

        @Test func `a failure that passes is tried again after growing delays, with its history`() async throws {
            let delays: [Duration] = [.milliseconds(100), .milliseconds(300)]
            let handler = TestHandler { event, _ in if event.payload == 1, event.attempt < 3 { throw EventFailure.transient("not yet") } }
            let consumer = try fixture.consumer(handler, options: fixture.options(delays: delays))
            let started = ContinuousClock.now
            try await fixture.running([consumer]) {
                #expect(try await eventually { try await fixture.broker.messages(in: fixture.name) != nil })
                try await fixture.publish([base.envelope(0), base.envelope(1), base.envelope(2)])
                try await fixture.expectApplied(0...2)
            }
            #expect(ContinuousClock.now - started > .milliseconds(400))
            let effects = try await base.effects()
            #expect(effects.first { $0.number == 1 }?.attempt == 3)
            #expect(effects.filter { $0.number != 1 }.allSatisfy { $0.attempt == 1 })
            #expect(consumer.metric("event_retries_total", "stage=\"100ms\"") == 1)
            #expect(consumer.metric("event_retries_total", "stage=\"300ms\"") == 1)
            #expect(try await base.letters().isEmpty)
        }

        @Test func `when the attempts are used up the event is a dead letter that knows its history`() async throws {
            struct Unexpected: Error { let secret = "4711" }
            let consumer = try fixture.consumer(TestHandler { _, _ in throw Unexpected() })
            let event = base.envelope(1)
            try await fixture.declare()
            try await fixture.publish([event])
            try await fixture.running([consumer]) {
                #expect(try await eventually { try await base.letters().count == 1 })
                try await fixture.expectEmptyQueues([.milliseconds(100), .milliseconds(300)])
            }
            let letter = try #require(await base.letters().first)
            #expect(letter.kind == .transient && letter.attempts == 3 && letter.eventID == event.id && letter.type == event.type)
            #expect(letter.reason.contains("Unexpected") && !letter.reason.contains("4711"))
            #expect(letter.lastFailedAt.millisecondsSinceUnixEpoch - letter.firstFailedAt.millisecondsSinceUnixEpoch >= 390)
            #expect(try await base.numbers().isEmpty)
            let headers: String = try await base.pool.withSession { session in
                try #require(session.query("SELECT headers::text FROM dead_letter_events").first).decode(String.self)
            }
            #expect(headers.contains("\"x-florin-attempt\": 3") && headers.contains(base.type))
        }

        @Test(arguments: [("55P03", false), ("P0001", false), ("22P05", true)])
        func `a dead letter loses what others wrote in it only when that may be what is refused`(state: String, isReduced: Bool) async throws {
            try await base.asOwner(
                """
                CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                    IF NEW.type IS NOT NULL AND EXISTS (SELECT FROM faults) THEN RAISE EXCEPTION 'no' USING ERRCODE = '\(state)'; END IF;
                    RETURN NEW;
                END $$
                """, "CREATE TRIGGER refuse BEFORE INSERT ON dead_letter_events FOR EACH ROW EXECUTE FUNCTION refuse()",
                "INSERT INTO faults VALUES (1)")
            let consumer = try fixture.consumer(TestHandler { _, _ in throw EventFailure.refused("never") })
            try await fixture.declare()
            try await fixture.publish([base.envelope(1)])
            try await fixture.running([consumer]) {
                if !isReduced {
                    #expect(try await eventually { consumer.metric("event_deliveries_held") == 1 })
                    try await base.asOwner("DELETE FROM faults")
                }
                #expect(try await eventually { try await base.letters().count == 1 })
                try await fixture.expectEmptyQueues()
            }
            let letter = try #require(await base.letters().first)
            #expect(letter.type == (isReduced ? nil : base.type))
        }

        @Test func `an event from the future has no effect and no age; it is counted, waits, and is applied when its time has come`() async throws {
            let consumer = try fixture.consumer(TestHandler())
            try await fixture.declare()
            try await fixture.publish([base.envelope(1, minute: 120), base.envelope(2)])
            try await fixture.running([consumer]) {
                try await fixture.expectApplied([2])
                #expect(try await eventually { try await base.letters().count == 1 })
                try await fixture.expectEmptyQueues()
                #expect(consumer.metric("event_times_ahead_total") == 3)
                #expect((consumer.metric("event_consumer_lag_seconds") ?? -1) >= 0)
            }
            let letter = try #require(await base.letters().first)
            #expect(letter.kind == .transient && letter.attempts == 3 && letter.reason.contains("ahead"))
            let options = DeadLetterReplay.Options(requestedBy: "tester")
            #expect(try await base.replay().run(options) { _, _, _ in }.failed == 1)
            let then = Timestamp(microsecondsSinceUnixEpoch: Timestamp.now().microsecondsSinceUnixEpoch + 3_600_000_000)
            #expect(try await base.replay(now: then).run(options) { _, _, _ in }.replayed == 1)
        }

        @Test func `a version without a handler is kept, a type that is ignored is not`() async throws {
            let newer = base.type.replacing(".v1", with: ".v2")
            let consumer = try fixture.consumer(TestHandler())
            try await fixture.declare()
            try await fixture.publish([
                base.envelope(1, type: newer), base.envelope(2, type: base.ignoredType), base.envelope(3),
            ])
            try await fixture.running([consumer]) {
                try await fixture.expectApplied([3])
                #expect(try await eventually { try await base.letters().count == 1 })
                try await fixture.expectEmptyQueues()
            }
            let letter = try #require(await base.letters().first)
            #expect(letter.kind == .unsupported && letter.type == newer)
            #expect(consumer.consumed("ignored") == 1)
        }

        @Test func `what is no event, or too large for one, is kept whole and once`() async throws {
            let large = [UInt8](repeating: UInt8(ascii: "x"), count: 300_000)
            let bodies: [[UInt8]] = [Array("no json".utf8), [0xFF, 0x00, 0xFE], [], large, Array("{\"id\":\"\(base.envelope(1).id)\"}".utf8)]
            let messages = bodies.enumerated().map { index, body in
                AMQPMessage(
                    body: body, messageID: "m\(index)", type: "nul\0inside", userID: "wallet-ledger-relay",
                    headers: ["x-note": "nul\0inside", "x-large": .string(String(repeating: "h", count: 20_000))])
            }
            let consumer = try fixture.consumer(TestHandler())
            try await fixture.declare()
            try await fixture.publish(messages: messages + messages)
            try await fixture.publish([base.envelope(7)])
            try await fixture.running([consumer]) {
                try await fixture.expectApplied([7])
                #expect(try await eventually { consumer.consumed("dead_lettered") == 10 })
                try await fixture.expectEmptyQueues()
            }
            let letters = try await base.letters()
            #expect(letters.count == 5 && letters.allSatisfy { $0.kind == .poison && $0.attempts == 1 })
            #expect(letters.count { $0.eventID != nil } == 1)
            let kept = try await base.pool.withSession { session in
                try letters.compactMap { letter in
                    try DeadLetterRepository(consumer: base.name).take(letter.id, session)?.opened(base.keys, consumer: base.name).body
                }
            }
            #expect(Set(kept) == Set(bodies))
        }

        @Test func `what was committed and not acknowledged comes again and changes nothing`() async throws {
            let gate = Gate()
            let consumer = try fixture.consumer(TestHandler { _, _ in gate.pass() }, options: fixture.options(batchLimit: 1))
            try await fixture.declare()
            try await fixture.publish([base.envelope(1)])
            try await fixture.running([consumer]) {
                #expect(try await eventually { gate.waiting == 1 })
                // From here on the receipt is void: as if the process died between its commit and its acknowledgement.
                try await fixture.broker.control("close_all_connections", "by a test")
                #expect(try await eventually { consumer.metric("amqp_redeliveries_total") ?? 0 > 0 })
                gate.open()
                #expect(try await eventually { consumer.consumed("duplicate") == 1 })
                try await fixture.expectEmptyQueues()
            }
            #expect(try await base.numbers() == [1])
        }

        @Test func `what came back again and again is settled one by one, in any order, so that a deadly one takes no other with it`() async throws {
            try await fixture.declare()
            try await fixture.publish((0..<20).map { base.envelope($0) })
            try await fixture.giveBack(20, times: 3)
            let gate = Gate()
            let calls = Atomic<Int>(0)
            let handler = TestHandler { _, _ in if calls.add(1, ordering: .relaxed).newValue == 5 { gate.pass() } }
            try await fixture.running([fixture.consumer(handler)]) {
                #expect(try await eventually { gate.waiting == 1 })
                #expect(try await eventually(every: .milliseconds(100)) { try await fixture.broker.messages(in: fixture.name) == 16 })
                gate.open()
                try await fixture.expectApplied(0..<20)
            }
            #expect(handler.calls.withLock { $0.allSatisfy { $0.count == 1 } })
            #expect(try await base.numbers() != Array(0..<20))
        }

        @Test func `a shutdown finishes what is in hand and gives the rest back`() async throws {
            let gate = Gate()
            let consumer = try fixture.consumer(TestHandler { _, _ in gate.pass() }, options: fixture.options(batchLimit: 3, prefetch: 10))
            try await fixture.declare()
            try await fixture.publish((0..<10).map { base.envelope($0) })
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await consumer.group.run() }
                #expect(try await eventually { gate.waiting >= 1 })
                #expect(try await eventually { consumer.metric("amqp_unsettled") == 10 })
                await consumer.group.triggerGracefulShutdown()
                // Those that nobody had taken are no longer to be settled here.
                #expect(try await eventually { consumer.metric("amqp_unsettled") ?? 10 <= 3 })
                gate.open()
                try await group.waitForAll()
            }
            let applied = try await base.numbers().count
            #expect((1...3).contains(applied))
            #expect(try await eventually(every: .milliseconds(100)) { try await fixture.broker.messages(in: fixture.name) == 10 - applied })
            // Whoever comes next goes on there.
            try await fixture.running([fixture.consumer(TestHandler())]) { try await fixture.expectApplied(0..<10) }
        }

        @Test func `a retry queue that was deleted holds up the one that failed and no other, until it is there again`() async throws {
            let delays: [Duration] = [.milliseconds(150)]
            let handler = TestHandler { event, _ in if event.payload == 0, event.attempt == 1 { throw EventFailure.transient("not yet") } }
            let consumer = try fixture.consumer(handler, options: fixture.options(delays: delays))
            try await fixture.running([consumer]) {
                let queue = RetryPlan.queueName(of: fixture.name, delay: delays[0])
                #expect(try await eventually { try await fixture.broker.messages(in: queue) == 0 })
                try await fixture.broker.control("delete_queue", queue)
                try await fixture.publish((0..<5).map { base.envelope($0) })
                try await fixture.expectApplied(0..<5)
                try await fixture.expectEmptyQueues(delays)
            }
            #expect(consumer.metric("event_retry_publish_failures_total") ?? 0 >= 1)
            #expect(try await base.effects().first { $0.number == 0 }?.attempt == 2)
        }

        @Test func `while the broker takes no messages, what fails is held and keeps nobody waiting`() async throws {
            let handler = TestHandler { event, _ in if event.payload < 8, event.attempt == 1 { throw EventFailure.transient("not yet") } }
            var options = try fixture.options(delays: [.milliseconds(100)], batchLimit: 1)
            options.retryPublishTimeout = .seconds(3)
            let log = try ServiceLog(of: "consumer")
            let consumer = try fixture.consumer(handler, options: options, logger: log.logger(level: .info))
            try await fixture.declare()
            try await fixture.publish((0..<10).map { base.envelope($0) })
            try await fixture.broker.control("set_vm_memory_high_watermark", "0.00001")
            try await fixture.running([consumer]) {
                // Only the first is sent, and by it the connection learns of the alarm.
                try await fixture.expectApplied(8..<10, within: .seconds(15))
                #expect(consumer.metric("event_retry_publish_failures_total") ?? 0 >= 8)
                // Not before: an answer that is late for the one that was sent is another reason than the alarm.
                #expect(try await eventually(within: .seconds(30)) { log.text.contains("\"blocked\"") })
                try await fixture.broker.control("set_vm_memory_high_watermark", "absolute", "2GB")
                try await fixture.expectApplied(0..<10)
            }
            // Why is said once, although each of the eight was tried again and again: no connection yet, no answer, the alarm.
            #expect((1...4).contains(log.text.components(separatedBy: "failed events can't be sent to a retry queue").count - 1))
            #expect(log.text.contains("failed events reach the retry queues again"))
        }

        @Test func `the trace of an event goes on through its handler, and its span is the child of the event`() async throws {
            let registry = PrometheusRegistry()
            let queue = SpanQueue(counters: SpanCounters(factory: registry))
            let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
            let handler = TestHandler()
            let consumer = try EventConsumer(
                base.subscription(handler), broker: fixture.configuration, pool: base.pool, keys: base.keys, options: fixture.options(),
                clock: ClockWitness(), logger: ConsumptionFixture.quiet,
                tracer: SpanTracer(sampler: TraceSampler(.parentBasedAlwaysOff), queue: queue), metrics: registry)
            try await fixture.declare()
            try await fixture.publish([base.envelope(1, traceparent: parent), base.envelope(2)])
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await consumer.run() }
                try await fixture.expectApplied([1, 2])
                #expect(try await eventually { queue.count == 1 })
                group.cancelAll()
                try? await group.waitForAll()
            }
            let span = try #require(queue.take(atMost: 2).first)
            #expect(span.parentSpanID == 0xb7ad_6b71_6920_3331 && span.kind == .consumer)
            let traceparents = handler.traceparents.withLock { $0 }
            #expect(traceparents.compactMap { $0 } == [span.trace.traceparent])
        }
    }
}
