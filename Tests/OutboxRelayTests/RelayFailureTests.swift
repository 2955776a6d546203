import AMQP
import Contracts
import EventBroker
import Observability
import Outbox
import Postgres
import ServiceRuntime
import TestSupport
import Testing

@testable import OutboxRelay

extension RelayTests {
    /// Events that the broker does not take.
    @Suite struct RelayFailureTests {
        let fixture: RelayFixture

        init() async throws { fixture = try await RelayFixture() }

        @Test("an event that no queue wants holds back its key alone, is tried again, and goes out in order once a queue wants it")
        func unroutable() async throws {
            // Only things that happened are wanted, not things that vanished.
            try await fixture.declare("thing.happened.v1")
            let lost = "\(fixture.name).thing.vanished.v1"
            let relay = try fixture.relay("a", attempts: 100)
            try await fixture.running([relay]) {
                try await fixture.write([fixture.event(0, key: "held", type: lost)])
                #expect(try await eventually { try await fixture.held()["failing"] == 1 })
                try await fixture.write((1...5).map { fixture.event($0, key: "held") })
                try await fixture.write((0...5).map { fixture.event($0, key: "free") })
                let others = try await fixture.collect { $0.count >= 6 }
                #expect(others.byKey == ["free": Array(0...5)])
                #expect(try await eventually { try await fixture.held() == ["failing": 1, "waiting": 5] })
                #expect(try await eventually { try await fixture.isAllMarked() })
                try await fixture.declare("#")
                let late = try await fixture.collect { $0.count >= 6 }
                #expect(late.byKey == ["held": Array(0...5)])
                #expect(late.count == 6)
                #expect(try await eventually { try await fixture.held().isEmpty })
                // The key is free again.
                try await fixture.write([fixture.event(6, key: "held")])
                #expect(try await fixture.collect { $0.count >= 1 }.byKey == ["held": [6]])
            }
        }

        @Test("a key that is never quiet is free again soon after its first event can be published")
        func busyKey() async throws {
            try await fixture.declare("thing.happened.v1")
            try await fixture.running([fixture.relay("a", attempts: 1_000)]) {
                try await fixture.write([fixture.event(0, key: "busy", type: "\(fixture.name).thing.vanished.v1")])
                #expect(try await eventually { try await fixture.held()["failing"] == 1 })
                let isEnough = Gate()
                async let written = {
                    var number = 1
                    while !isEnough.isSet {
                        try await fixture.write([fixture.event(number, key: "busy")])
                        number += 1
                    }
                    return number
                }()
                #expect(try await eventually { try await fixture.held()["waiting", default: 0] > 50 })
                try await fixture.declare("#")
                #expect(try await eventually(within: .seconds(20)) { try await fixture.held().isEmpty })
                isEnough.signal()
                let count = try await written
                #expect(try await fixture.collect { $0.firsts.count >= count }.byKey == ["busy": Array(0..<count)])
            }
        }

        @Test("of more failing keys than are fetched at once none is left out")
        func manyKeys() async throws {
            try await fixture.declare("thing.happened.v1")
            let keys = (0..<600).map { "key-\($0)" }
            let lost = "\(fixture.name).thing.vanished.v1"
            try await fixture.running([fixture.relay("a", attempts: 1_000)]) {
                try await fixture.write(keys.map { fixture.event(0, key: $0, type: lost) })
                #expect(try await eventually { try await fixture.held()["failing"] == 600 })
                try await fixture.write(keys.map { fixture.event(1, key: $0) })
                #expect(try await eventually { try await fixture.held() == ["failing": 600, "waiting": 600] })
                try await fixture.write([fixture.event(0, key: "free")])
                #expect(try await fixture.collect { $0.count >= 1 }.byKey == ["free": [0]])
                try await fixture.declare("#")
                let received = try await fixture.collect { $0.firsts.count >= 1_200 }
                for key in keys { #expect(received.byKey[key] == [0, 1], "\(key)") }
                #expect(try await eventually { try await fixture.held().isEmpty })
            }
        }

        @Test("after the last attempt an event is parked, those behind it go on, and an operator publishes or discards it")
        func parked() async throws {
            try await fixture.declare("thing.happened.v1")
            let lost = "\(fixture.name).thing.vanished.v1"
            let first = fixture.event(0, key: "k", type: lost)
            let second = fixture.event(1, key: "k", type: lost)
            try await fixture.running([fixture.relay("a", attempts: 2)]) {
                try await fixture.write([first, second, fixture.event(2, key: "k")])
                let rest = try await fixture.collect { $0.count >= 1 }
                #expect(rest.byKey == ["k": [2]])
                #expect(try await eventually { try await fixture.held() == ["parked": 2] })
            }
            let store = DeferredEventStore()
            let parked = try await fixture.relayPool.withSession { session in try store.deadLetters(session, DeadLetterFilter()) }
            #expect(parked.map(\.eventID) == [first.id, second.id])
            #expect(parked.allSatisfy { $0.attempts == 2 && $0.reason.hasPrefix("unroutable: 312") })
            #expect(
                try await replay(parked)
                    == RepublishDeadLetters.Result(replayed: 0, failures: parked.map { .init(letter: $0, reason: $0.reason) }))
            try await fixture.declare("#")
            let only = try await fixture.relayPool.withSession { session in
                try store.deadLetters(session, DeadLetterFilter(eventID: first.id))
            }
            #expect(try await replay(only) == RepublishDeadLetters.Result(replayed: 1))
            #expect(try await fixture.collect { $0.count >= 1 }.map(\.id) == [first.id.description])
            let discarded = try await fixture.relayPool.withSession { session in
                [try store.discard(session, eventID: first.id, note: "gone"), try store.discard(session, eventID: second.id, note: "no use")]
            }
            #expect(discarded == [false, true])
            #expect(try await fixture.held() == ["discarded": 1])
        }

        private func replay(_ parked: [DeadLetterSummary]) async throws -> RepublishDeadLetters.Result {
            let publisher = try AMQPPublisher(
                configuration: fixture.configuration, name: "replay", options: OutboxRelay.publisherOptions(fixture.timing),
                logger: RelayFixture.quiet)
            return try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await publisher.run() }
                let replay = RepublishDeadLetters(source: "wallet-ledger", pool: fixture.relayPool) { await publisher.publish($0) }
                var result = RepublishDeadLetters.Result()
                try await replay.run(parked, isForced: false, now: Timestamp.now(), &result)
                group.cancelAll()
                return result
            }
        }

        @Test("an event that is too large for any broker is parked at once and stops nobody")
        func tooLarge() async throws {
            try await fixture.declare()
            let huge = OutboxEvent(
                id: fixture.event(0, key: "k").id, type: fixture.type, subject: "k", partitionKey: "k",
                occurredAt: Timestamp(microsecondsSinceUnixEpoch: 1), traceparent: nil,
                data: Array("{\"key\":\"k\",\"number\":0,\"x\":\"\(String(repeating: "x", count: RelayLimits.messageBytes))\"}".utf8))
            try await fixture.running([fixture.relay("a")]) {
                try await fixture.write([huge, fixture.event(1, key: "k"), fixture.event(1, key: "other")])
                #expect(try await fixture.collect { $0.count >= 2 }.byKey == ["k": [1], "other": [1]])
                #expect(try await eventually { try await fixture.held() == ["parked": 1] })
            }
        }

        @Test("a relay that the broker knows by another user's name parks nothing; as the right one it publishes everything")
        func anotherUser() async throws {
            try await fixture.declare()
            let stranger = try AMQPConfiguration(url: fixture.broker.url(as: "ops-risk-relay", parameters: "?heartbeat=1"))
            try await fixture.write((0..<10).map { fixture.event($0, key: "k\($0)") })
            let relay = try fixture.relay("stranger", attempts: 1, broker: stranger)
            try await fixture.running([relay]) {
                let isRefused = try await eventually { relay.registry.render().contains("outbox_refused 1") }
                #expect(isRefused)
                #expect(throws: UnreachableDependency.self) { try OutboxRelay.check(relay.publisher.status, isRefused: true) }
                #expect(try await fixture.held().isEmpty)
            }
            try await fixture.running([fixture.relay("a", attempts: 1)]) {
                let received = try await fixture.collect { $0.firsts.count >= 10 }
                #expect(received.firsts.count == 10)
            }
        }

        @Test("an event over which the broker closes the channel is found among the others and parked")
        func channelCloser() async throws {
            try await fixture.declare()
            // The tests' broker takes less than the relay would send.
            let huge = OutboxEvent(
                id: fixture.event(0, key: "bad").id, type: fixture.type, subject: "bad", partitionKey: "bad",
                occurredAt: Timestamp(microsecondsSinceUnixEpoch: 1), traceparent: nil,
                data: Array("{\"x\":\"\(String(repeating: "x", count: RabbitMQServer.maximumMessageBytes + 1))\"}".utf8))
            let keys = (0..<8).map { "k\($0)" }
            try await fixture.running([fixture.relay("a")]) {
                try await fixture.write(keys.map { fixture.event(0, key: $0) } + [huge] + keys.map { fixture.event(1, key: $0) })
                let received = try await fixture.collect { $0.firsts.count >= 16 }
                for key in keys { #expect(received.byKey[key] == [0, 1]) }
                #expect(try await eventually { try await fixture.held() == ["parked": 1] })
            }
        }

        @Test("without the exchange nothing is lost, and no attempt is used up")
        func noExchange() async throws {
            let configuration = try fixture.configuration
            try await fixture.broker.control(
                "eval", "rabbit_exchange:delete(rabbit_misc:r(<<\"/\">>, exchange, <<\"florin.events\">>), false, <<\"t\">>).")
            try await fixture.running([fixture.relay("a", attempts: 1)]) {
                try await fixture.write((0..<10).map { fixture.event($0, key: "k") })
                // Long enough for several refusals.
                #expect(try await !eventually(within: .milliseconds(600)) { try await !fixture.held().isEmpty })
                try await fixture.topology().declare(on: configuration)
                #expect(try await fixture.collect { $0.firsts.count >= 10 }.byKey == ["k": Array(0..<10)])
                #expect(try await fixture.held().isEmpty)
            }
        }

        @Test("a queue that is full refuses; the events wait in the outbox, use no attempt up, and come when there is room")
        func nacked() async throws {
            try await AMQPTopology(
                exchanges: [EventTopology.exchange],
                queues: [AMQPQueue(fixture.queue, arguments: ["x-max-length": .integer(5), "x-overflow": .string("reject-publish")])],
                bindings: [AMQPBinding(queue: fixture.queue, exchange: EventTopology.exchange.name, routingKey: "\(fixture.name).#")]
            ).declare(on: fixture.configuration)
            try await fixture.running([fixture.relay("a", attempts: 1)]) {
                try await fixture.write(perKey: 40, keys: ["k"])
                #expect(try await eventually { try await fixture.broker.messages(in: fixture.queue) ?? 0 >= 5 })
                let received = try await fixture.collect { $0.firsts.count >= 40 }
                #expect(Set(received.map(\.number)) == Set(0..<40))
                #expect(try await fixture.held().isEmpty)
                #expect(try await eventually { try await fixture.isAllMarked() })
            }
        }
    }
}
