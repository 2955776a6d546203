import AMQP
import Contracts
import EventBroker
import Foundation
import Postgres
import Synchronization
import TestSupport
import Testing

@testable import EventConsumption

extension EventConsumerBrokerTests {
    @Suite struct EventConsumerOutageTests {
        @Test func `while the database is away nothing is lost and no attempt is used up`() async throws {
            let server = try await PostgresServer.startSeparate()
            let fixture = try await BrokerFixture(server: server)
            let consumer = try fixture.consumer(TestHandler(), options: fixture.options(batchLimit: 5))
            try await fixture.declare()
            try await fixture.publish((0..<30).map { fixture.base.envelope($0) })
            try await fixture.running([consumer]) {
                #expect(try await eventually { try await fixture.base.numbers().count >= 5 })
                try await server.stop(.immediate)
                try await fixture.publish((30..<60).map { fixture.base.envelope($0) })
                #expect(try await eventually { consumer.metric("event_consumer_paused") == 1 })
                #expect(consumer.consumed("retried") == 0 && consumer.consumed("dead_lettered") == 0)
                try await server.start()
                try await fixture.expectApplied(0..<60)
                try await fixture.expectEmptyQueues()
            }
            #expect(consumer.metric("event_consumer_paused") == 0)
            #expect(try await fixture.base.effects().allSatisfy { $0.attempt == 1 })
            #expect(try await fixture.base.letters().isEmpty)
            #expect(consumer.consumed("retried") == 0)
        }

        @Test func `a database that only reads is waited for, also at the start`() async throws {
            let fixture = try await BrokerFixture()
            let role = "ALTER ROLE ops_risk IN DATABASE \"\(fixture.base.database.name)\""
            try await fixture.base.database.server.execute(["\(role) SET default_transaction_read_only = on"])
            // Sessions take the setting when they begin.
            let pool = try ConsumptionFixture.pool(fixture.base.database)
            let consumer = try fixture.consumer(TestHandler(), pool: pool)
            try await fixture.declare()
            try await fixture.publish([fixture.base.envelope(1)])
            try await fixture.running([consumer]) {
                #expect(try await eventually { consumer.metric("event_consumer_paused") == 1 })
                try await fixture.base.database.server.execute([
                    "\(role) RESET default_transaction_read_only",
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '\(fixture.base.database.name)' AND usename = 'ops_risk'",
                ])
                try await fixture.expectApplied([1])
            }
            #expect(try await fixture.base.effects().allSatisfy { $0.attempt == 1 })
        }

        @Test func `an outage that lasts gives the events back, and they are taken again after it`() async throws {
            let server = try await PostgresServer.startSeparate()
            let fixture = try await BrokerFixture(server: server)
            var options = try fixture.options()
            options.outageLimit = .milliseconds(300)
            let consumer = try fixture.consumer(TestHandler(), options: options)
            try await fixture.declare()
            try await fixture.running([consumer]) {
                #expect(try await eventually { consumer.metric("amqp_connected", "retry") == 1 })
                try await server.stop()
                try await fixture.publish((0..<5).map { fixture.base.envelope($0) })
                #expect(
                    try await eventually(every: .milliseconds(100)) {
                        try await fixture.broker.control("list_queues", "--no-table-headers", "name", "messages_ready").contains("\(fixture.name)\t5")
                    })
                try await server.start()
                try await fixture.expectApplied(0..<5)
            }
            #expect(try await fixture.base.effects().allSatisfy { $0.attempt == 1 })
        }

        /// Fails as on a server whose disk is full, which answers every look.
        private static let fullDisk: PostgresQuery = "DO $$ BEGIN RAISE EXCEPTION 'no space' USING ERRCODE = '53100'; END $$"

        @Test func `while the database answers and can't write, the consumer says that it pauses, all the time`() async throws {
            let fixture = try await BrokerFixture()
            let isFull = Atomic<Bool>(true)
            let handler = TestHandler { _, session in if isFull.load(ordering: .relaxed) { try session.execute(Self.fullDisk) } }
            let consumer = try fixture.consumer(handler)
            try await fixture.declare()
            try await fixture.publish([fixture.base.envelope(1)])
            try await fixture.running([consumer]) {
                #expect(try await eventually { consumer.metric("event_consumer_paused") == 1 })
                let calls = handler.calls.withLock { $0.count }
                var looks: Set<Double?> = []
                #expect(
                    try await eventually(every: .milliseconds(2)) {
                        looks.insert(consumer.metric("event_consumer_paused"))
                        return handler.calls.withLock { $0.count } >= calls + 5
                    })
                #expect(looks == [1])
                isFull.store(false, ordering: .relaxed)
                try await fixture.expectApplied([1])
                #expect(try await eventually { consumer.metric("event_consumer_paused") == 0 })
            }
        }

        @Test func `what is given back again and again is taken later each time, for the broker counts`() async throws {
            let fixture = try await BrokerFixture()
            let isFull = Atomic<Bool>(true)
            let handler = TestHandler { _, session in if isFull.load(ordering: .relaxed) { try session.execute(Self.fullDisk) } }
            var options = try fixture.options()
            options.outageLimit = .milliseconds(300)
            let consumer = try fixture.consumer(handler, options: options)
            try await fixture.declare()
            try await fixture.publish([fixture.base.envelope(1)])
            let started = ContinuousClock.now
            try await fixture.running([consumer]) {
                #expect(try await eventually { consumer.consumed("given_back") == 5 })
                // Five outages, and pauses of one, two and three between them.
                #expect(ContinuousClock.now - started >= options.outageLimit * 11)
                isFull.store(false, ordering: .relaxed)
                try await fixture.expectApplied([1])
            }
            #expect(try await fixture.base.effects().allSatisfy { $0.attempt == 1 })
        }

        @Test func `of a batch that is interrupted what failed already goes back too, and keeps no shutdown waiting`() async throws {
            let fixture = try await BrokerFixture()
            let gate = Gate()
            let handler = TestHandler { event, session in
                switch event.payload {
                case 0: gate.pass()
                case 1: throw EventFailure.transient("not yet")
                default: try session.execute(Self.fullDisk)
                }
            }
            var options = try fixture.options()
            options.drainTimeout = .seconds(60)
            let consumer = try fixture.consumer(handler, options: options)
            try await fixture.declare()
            try await fixture.publish([fixture.base.envelope(0)])
            let shutdown = try await fixture.running([consumer]) {
                #expect(try await eventually { gate.waiting == 1 })
                try await fixture.publish([fixture.base.envelope(1), fixture.base.envelope(2)])
                #expect(try await eventually { consumer.metric("amqp_unsettled") == 3 })
                gate.open()
                // Together, the first alone, and the second alone.
                #expect(try await eventually { consumer.metric("event_consumer_paused") == 1 })
                return ContinuousClock.now
            }
            #expect(ContinuousClock.now - shutdown < .seconds(30))
            #expect(consumer.consumed("given_back") == 2)
            #expect(try await eventually(every: .milliseconds(200)) { try await fixture.broker.messages(in: fixture.name) == 2 })
        }

        @Test func `an event that makes the server crash is suspected, and ends as a dead letter`() async throws {
            let server = try await PostgresServer.startSeparate()
            let fixture = try await BrokerFixture(server: server)
            let crashes = Atomic<Int>(0)
            let handler = TestHandler { event, session in
                guard event.payload == 1 else { return }
                crashes.add(1, ordering: .relaxed)
                let process: Int32 = try #require(session.query("SELECT pg_backend_pid()").first).decode(Int32.self)
                kill(process, SIGKILL)
                try session.execute(.hanging())
            }
            let consumer = try fixture.consumer(handler, options: fixture.options(delays: [.milliseconds(100)]))
            try await fixture.declare()
            try await fixture.publish([fixture.base.envelope(0), fixture.base.envelope(1), fixture.base.envelope(2)])
            try await fixture.running([consumer]) {
                try await fixture.expectApplied([0, 2], within: .seconds(40))
                #expect(try await eventually(within: .seconds(40)) { (try? await fixture.base.letters().count) == 1 })
            }
            let letter = try #require(await fixture.base.letters().first)
            #expect(letter.kind == .transient && letter.attempts == 2)
            // Three in the batch, three alone, three after the delay.
            #expect(crashes.load(ordering: .relaxed) <= 9)
        }

        @Test func `a broker that is killed in the middle delivers the rest when it is back`() async throws {
            let fixture = try await BrokerFixture()
            let handler = TestHandler { event, _ in if event.payload % 7 == 0, event.attempt == 1 { throw EventFailure.transient("not yet") } }
            let consumer = try fixture.consumer(handler, options: fixture.options(batchLimit: 5, prefetch: 10))
            try await fixture.declare()
            try await fixture.publish((0..<200).map { fixture.base.envelope($0) })
            try await fixture.running([consumer]) {
                #expect(try await eventually { try await fixture.base.numbers().count >= 20 })
                try await fixture.broker.kill()
                try await fixture.broker.start()
                try await fixture.expectApplied(0..<200, within: .seconds(40))
                try await fixture.expectEmptyQueues([.milliseconds(100), .milliseconds(300)])
            }
            #expect(try await fixture.base.letters().isEmpty)
        }

        @Test func `events that fail at random have their effect once, with three consumers and every event twice`() async throws {
            let fixture = try await BrokerFixture()
            var random = SeededGenerator(seed: 20_261_121)
            // What an event does, by its number: how often it fails, and how.
            let plans = (0..<300).map { _ in
                (failures: [0, 0, 0, 1, 2, 9].randomElement(using: &random) ?? 0, kind: Int.random(in: 0...9, using: &random))
            }
            let handler = TestHandler { event, session in
                let plan = plans[event.payload]
                guard event.attempt <= plan.failures else { return }
                switch plan.kind {
                case 0: throw EventFailure.refused("never")
                case 1: try session.execute("INSERT INTO effects (event_id) VALUES (NULL)")
                default: throw EventFailure.transient("not yet")
                }
            }
            let doomed = Set(plans.indices.filter { plans[$0].failures > 2 || (plans[$0].failures > 0 && plans[$0].kind == 0) })
            let delays: [Duration] = [.milliseconds(20), .milliseconds(60)]
            let consumers = try (0..<3).map { _ in
                try fixture.consumer(handler, options: fixture.options(delays: delays, batchLimit: 20, prefetch: 40))
            }
            let events = (0..<300).map { fixture.base.envelope($0) }
            try await fixture.declare()
            try await fixture.publish((events + events).shuffled(using: &random))
            try await fixture.running(consumers) {
                try await fixture.expectApplied(Set(0..<300).subtracting(doomed), within: .seconds(40))
                #expect(try await eventually(within: .seconds(20)) { try await fixture.base.letters().count == doomed.count })
                try await fixture.expectEmptyQueues(delays)
            }
            try await fixture.expectApplied(Set(0..<300).subtracting(doomed))
            let ids = Dictionary(uniqueKeysWithValues: events.enumerated().map { ($1.id, $0) })
            #expect(Set(try await fixture.base.letters().compactMap { $0.eventID.flatMap { ids[$0] } }) == doomed)
        }
    }
}
