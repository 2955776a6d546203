import AMQP
import TestSupport
import Testing

extension AMQPBrokerTests {
    @Suite struct AMQPPublisherTests {
        let fixture: AMQPBrokerTests

        init() async throws { fixture = try await AMQPBrokerTests() }

        @Test func `what was meant for a channel that is gone is not sent on the next`() async throws {
            try await fixture.withPublisher("generation") { publisher in
                let generation = publisher.status.generation
                let messages = (1...3).map { fixture.publication("generation", id: "\($0)") }
                #expect(await publisher.submit(messages, onGeneration: generation).outcomes() == Array(repeating: .confirmed, count: 3))
                let late = await publisher.submit(messages, onGeneration: generation - 1).outcomes()
                #expect(late == Array(repeating: .notSent(.connectionChanged), count: 3))
            }
        }

        @Test func `5000 messages are confirmed one by one, and the queue holds as many`() async throws {
            let outcomes = try await fixture.withPublisher("count") { publisher in
                await withTaskGroup(of: [PublishOutcome].self) { group in
                    for batch in 0..<50 {
                        group.addTask {
                            await publisher.publish((0..<100).map { fixture.publication("count", id: "\(batch)-\($0)") })
                        }
                    }
                    return await group.reduce(into: []) { $0 += $1 }
                }
            }
            #expect(outcomes.count == 5000)
            #expect(outcomes.allSatisfy { $0 == .confirmed })
            let found = try await fixture.withConsumer("count", prefetch: 500) { consumer in
                try await fixture.take(5000, from: consumer, isAcknowledging: true)
            }
            #expect(Set(found.map(\.message.messageID)).count == 5000)
        }

        @Test func `a message that no queue wants is unroutable, its neighbours are confirmed`() async throws {
            let outcomes = try await fixture.withPublisher("route") { publisher in
                await publisher.publish(
                    (0..<40).map { fixture.publication("route", id: "\($0)", key: $0.isMultiple(of: 2) ? "route" : "nowhere") })
            }
            for (index, outcome) in outcomes.enumerated() {
                #expect(outcome == (index.isMultiple(of: 2) ? .confirmed : .unroutable(code: 312, text: "NO_ROUTE")))
            }
        }

        @Test func `properties, headers and a body of several frames arrive as they were sent, in order`() async throws {
            let sent = (0..<3).map { index in
                AMQPMessage(
                    body: (0..<(index * 300_000)).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ index) }, messageID: "id-\(index)",
                    contentType: "application/json", type: "ledger.test.v1", correlationID: "c", appID: "florin", timestamp: 1_700_000_000,
                    headers: [
                        "text": "grün", "number": -5, "yes": true, "bytes": .bytes([0, 255]), "time": .timestamp(9),
                        "list": .array(["a", 1]), "table": .table(["b": .table(["c": false])]),
                    ])
            }
            let received = try await fixture.withPublisher("properties") { publisher in
                let publications = sent.map { AMQPPublication($0, exchange: "test.properties", routingKey: "properties") }
                #expect(await publisher.publish(publications).allSatisfy { $0 == .confirmed })
                return try await fixture.withConsumer("properties") { consumer in
                    let deliveries = try await fixture.take(3, from: consumer)
                    for delivery in deliveries { consumer.acknowledge(delivery.receipt) }
                    return deliveries
                }
            }
            #expect(received.map(\.message) == sent)
            #expect(received.allSatisfy { $0.exchange == "test.properties" && $0.routingKey == "properties" && !$0.isRedelivered })
        }

        @Test func `a missing exchange closes the channel: what was in flight is unknown, and the next channel works`() async throws {
            try await fixture.withPublisher("missing") { publisher in
                let stray = AMQPPublication(AMQPMessage(body: [1], messageID: "1"), exchange: "test.not-there", routingKey: "a")
                let outcome = await publisher.publish(stray)
                guard case .unknown(.channelClosed(404, let text)) = outcome else {
                    Issue.record("\(outcome)")
                    return
                }
                #expect(text.contains("test.not-there"))
                #expect(await publisher.publish(fixture.publication("missing", id: "2")) == .confirmed)
                #expect(publisher.status.generation == 2)
                #expect(publisher.status.lastError?.replyCode == 404)
            }
        }

        @Test func `a message beyond the broker's limit closes the channel and no more, one beyond our own is not sent`() async throws {
            try await fixture.withPublisher("large") { publisher in
                let large = [UInt8](repeating: 7, count: RabbitMQServer.maximumMessageBytes + 1)
                let outcome = await publisher.publish(fixture.publication("large", id: "1", body: large))
                guard case .unknown(.channelClosed(406, _)) = outcome else {
                    Issue.record("\(outcome)")
                    return
                }
                let largest = [UInt8](repeating: 7, count: RabbitMQServer.maximumMessageBytes)
                #expect(await publisher.publish(fixture.publication("large", id: "2", body: largest)) == .confirmed)
                let tooLarge = [UInt8](repeating: 7, count: 2_000_001)
                #expect(await publisher.publish(fixture.publication("large", id: "3", body: tooLarge)) == .notSent(.tooLarge))
                #expect(publisher.status.generation == 2)
            }
        }

        @Test func `what can't be sent is refused alone, a full queue refuses at once, and after the end nothing is taken`() async throws {
            let publisher = try AMQPPublisher(
                configuration: fixture.configuration(), name: "publisher.bounds", topology: fixture.topology("bounds"),
                options: fixture.options(window: 2, queued: 5), logger: AMQPBrokerTests.quiet)
            let six = (0..<6).map { fixture.publication("bounds", id: "\($0)") }
            #expect(await publisher.publish(six) == Array(repeating: .notSent(.queueFull), count: 6))
            let running = Task { try await publisher.run() }
            let mixed = [fixture.publication("bounds", id: ""), fixture.publication("bounds", id: "1")]
            #expect(await publisher.publish(mixed) == [.notSent(.invalid("the message has no id")), .confirmed])
            running.cancel()
            try await running.value
            #expect(publisher.status.phase == .closed)
            #expect(await publisher.publish(mixed[1]) == .notSent(.closed))
            await #expect(throws: AMQPError.self) { try await publisher.run() }
        }

        @Test func `each outcome is counted, and the state of the connection shows`() async throws {
            let metrics = RecordingMetrics()
            let publisher = try AMQPPublisher(
                configuration: fixture.configuration(), name: "counted", topology: fixture.topology("counted"), options: fixture.options(),
                logger: AMQPBrokerTests.quiet, metrics: metrics)
            let running = Task { try await publisher.run() }
            let keys = ["counted", "counted", "nowhere"]
            _ = await publisher.publish(keys.enumerated().map { fixture.publication("counted", id: "\($0.offset)", key: $0.element) })
            _ = await publisher.publish(fixture.publication("counted", id: ""))
            // Counted just after the caller is answered.
            #expect(try await eventually { metrics["amqp_publish_total client=counted,result=confirmed"] == 2 })
            #expect(try await eventually { metrics["amqp_publish_total client=counted,result=unroutable"] == 1 })
            #expect(metrics["amqp_publish_total client=counted,result=not_sent"] == 1)
            #expect(metrics["amqp_connected client=counted"] == 1)
            #expect(metrics["amqp_connections_total client=counted"] == 1)
            running.cancel()
            try await running.value
            #expect(metrics["amqp_connected client=counted"] == 0)
            #expect(metrics["amqp_unconfirmed client=counted"] == 0)
        }

        @Test func `a caller that goes away is answered at once`() async throws {
            let publisher = try AMQPPublisher(
                configuration: fixture.configuration(), name: "publisher.gone", topology: fixture.topology("gone"), options: fixture.options(),
                logger: AMQPBrokerTests.quiet)
            let caller = Task { await publisher.publish(fixture.publication("gone", id: "1")) }
            caller.cancel()
            #expect(await caller.value == .notSent(.cancelled))
        }

        @Test func `a shutdown waits for the confirms of what was handed over`() async throws {
            let publisher = try AMQPPublisher(
                configuration: fixture.configuration(), name: "publisher.drain", topology: fixture.topology("drain"),
                options: fixture.options(window: 8), logger: AMQPBrokerTests.quiet)
            let running = Task { try await publisher.run() }
            #expect(try await eventually { publisher.status.isOpen })
            let caller = Task { await publisher.publish((0..<500).map { fixture.publication("drain", id: "\($0)") }) }
            #expect(try await eventually(every: .microseconds(200)) { publisher.status.unconfirmed > 0 })
            running.cancel()
            #expect(await caller.value.allSatisfy { $0 == .confirmed })
            try await running.value
        }

        @Test func `a user that the broker does not know is told by code and never by password`() async throws {
            let url = fixture.server.url().replacing("florin:", with: "stranger:not-")
            let publisher = try AMQPPublisher(
                configuration: AMQPConfiguration(url: url), name: "publisher.stranger",
                options: fixture.options(timeout: .milliseconds(300)), logger: AMQPBrokerTests.quiet)
            let running = Task { try await publisher.run() }
            #expect(await publisher.publish(fixture.publication("stranger", id: "1")) == .notSent(.timedOut))
            #expect(try await eventually { publisher.status.lastError?.replyCode == 403 })
            #expect(publisher.status.lastError.map { "\($0)" } == "amqp: connect_failed 403 ACCESS_REFUSED: the broker lets nobody in")
            running.cancel()
            try await running.value
        }
    }
}
