import AMQP
import TestSupport
import Testing

extension AMQPBrokerTests {
    @Suite struct AMQPConsumerTests {
        let fixture: AMQPBrokerTests

        init() async throws { fixture = try await AMQPBrokerTests() }

        /// Puts messages with the ids 1, 2, ... into a new queue.
        private func fill(_ name: String, _ count: Int) async throws {
            let outcomes = try await fixture.withPublisher(name) { publisher in
                await publisher.publish((1...count).map { fixture.publication(name, id: "\($0)") })
            }
            #expect(outcomes.allSatisfy { $0 == .confirmed })
        }

        @Test func `no more are handed out than prefetch allows, and one more for each that is settled`() async throws {
            try await fill("prefetch", 20)
            try await fixture.withConsumer("prefetch", prefetch: 5) { consumer in
                let first = try await fixture.take(5, from: consumer)
                #expect(first.map(\.message.messageID) == ["1", "2", "3", "4", "5"])
                #expect(try await eventually { consumer.status.unsettled == 5 })
                try await fixture.expectSteady { consumer.status.unsettled == 5 }
                consumer.acknowledge(first[1].receipt, isMultiple: true)
                #expect(try await fixture.take(2, from: consumer).map(\.message.messageID) == ["6", "7"])
                #expect(try await eventually { consumer.status.unsettled == 5 })
                try await fixture.expectSteady { consumer.status.unsettled == 5 }
            }
        }

        @Test func `what is rejected comes again or goes, what is settled twice disturbs nobody`() async throws {
            try await fill("reject", 3)
            try await fixture.withConsumer("reject", prefetch: 3) { consumer in
                let first = try await fixture.take(3, from: consumer)
                consumer.acknowledge(first[0].receipt)
                consumer.acknowledge(first[0].receipt)
                consumer.reject(first[1].receipt, isRequeued: false)
                consumer.reject(first[2].receipt, isRequeued: true)
                let again = try await fixture.take(1, from: consumer)
                #expect(again.map(\.message.messageID) == ["3"])
                #expect(again.first?.isRedelivered == true)
                for delivery in again { consumer.acknowledge(delivery.receipt) }
                try await fixture.expectMessages(0, in: "reject")
                #expect(consumer.status.generation == 1)
            }
        }

        @Test func `what a dead connection leaves unsettled comes again, and its old receipt is void`() async throws {
            try await fill("redelivery", 2)
            try await fixture.withConsumer("redelivery", prefetch: 10) { consumer in
                let first = try await fixture.take(2, from: consumer)
                #expect(first.allSatisfy { !$0.isRedelivered })
                try await fixture.server.control("close_all_connections", "by a test")
                let second = try await fixture.take(2, from: consumer)
                #expect(Set(second.map(\.message.messageID)) == ["1", "2"])
                #expect(second.allSatisfy { $0.isRedelivered })
                #expect(try await eventually { consumer.status.unsettled == 2 })
                // Tags begin again: this one would settle a message of the new connection.
                consumer.acknowledge(first[1].receipt, isMultiple: true)
                try await fixture.expectSteady { consumer.status.unsettled == 2 }
                consumer.acknowledge(second[1].receipt, isMultiple: true)
                #expect(try await eventually { consumer.status.unsettled == 0 })
            }
        }

        @Test func `a deleted queue is told of, and consumed again once it is there`() async throws {
            try await fixture.topology("deleted").declare(on: fixture.configuration())
            try await fixture.withConsumer("deleted", topology: AMQPTopology()) { consumer in
                var changes = consumer.changes.makeAsyncIterator()
                #expect(await changes.next() == .subscribed(generation: 1))
                try await fixture.server.control("delete_queue", "deleted")
                #expect(await changes.next() == .cancelledByBroker)
                guard case .refused(let error) = await changes.next() else {
                    Issue.record("the subscription was not refused")
                    return
                }
                #expect(error.replyCode == 404)
                #expect(consumer.status.isOpen && !consumer.status.isSubscribed)
                try await fill("deleted", 1)
                #expect(try await fixture.take(1, from: consumer).map(\.message.messageID) == ["1"])
                #expect(consumer.status.isSubscribed)
            }
        }

        @Test func `a consumer that has the topology makes a deleted queue again`() async throws {
            try await fixture.withConsumer("remade") { consumer in
                #expect(try await eventually { consumer.status.isSubscribed })
                try await fixture.server.control("delete_queue", "remade")
                #expect(try await eventually { !consumer.status.isSubscribed || consumer.status.generation > 1 })
                #expect(try await eventually { consumer.status.isSubscribed })
                try await fill("remade", 1)
                #expect(try await fixture.take(1, from: consumer).map(\.message.messageID) == ["1"])
            }
        }

        @Test func `a shutdown ends the deliveries and waits for those in hand`() async throws {
            try await fill("shutdown", 10)
            let consumer = try AMQPConsumer(
                configuration: fixture.configuration(), name: "consumer.shutdown", queue: "shutdown", options: ConsumerOptions(prefetch: 10),
                logger: AMQPBrokerTests.quiet)
            let running = Task { try await consumer.run() }
            let inHand = try await fixture.take(2, from: consumer)
            running.cancel()
            #expect(try await eventually { consumer.status.unsettled == 2 && !consumer.status.isSubscribed })
            #expect(try await fixture.take(1, from: consumer, within: .milliseconds(300)).isEmpty)
            for delivery in inHand { consumer.acknowledge(delivery.receipt) }
            try await running.value
            let left = try await fixture.withConsumer("shutdown") { consumer in try await fixture.take(8, from: consumer) }
            #expect(Set(left.map(\.message.messageID)) == Set((3...10).map(String.init)))
        }
    }
}
