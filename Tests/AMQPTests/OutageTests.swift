import AMQP
import Concurrency
import Logging
import TestSupport
import Testing

extension AMQPBrokerTests {
    /// What librabbitmq 0.11 does badly by itself, each trap once.
    @Suite struct AMQPOutageTests {
        let fixture: AMQPBrokerTests
        var server: RabbitMQServer { fixture.server }

        init() async throws { fixture = try await AMQPBrokerTests() }

        @Test func `an idle connection outlives its heartbeats`() async throws {
            try await fixture.withPublisher("idle", parameters: "?heartbeat=1") { publisher in
                try await fixture.withConsumer("idle", parameters: "?heartbeat=1") { consumer in
                    #expect(try await eventually { consumer.status.isSubscribed })
                    try await fixture.expectSteady(for: .seconds(4)) {
                        publisher.status.generation == 1 && consumer.status.generation == 1 && publisher.status.isOpen && consumer.status.isOpen
                    }
                    #expect(await publisher.publish(fixture.publication("idle", id: "1")) == .confirmed)
                    #expect(publisher.status.generation == 1)
                }
            }
        }

        @Test func `a broker that can't be reached is one line in the log of each client, however often it is tried`() async throws {
            let log = try ServiceLog(of: "amqp")
            let configuration = try AMQPConfiguration(url: "amqp://u:p@127.0.0.1:\(FreePort.any())")
            let backoff = Backoff(first: .milliseconds(1), maximum: .milliseconds(2))
            let metrics = RecordingMetrics()
            let publisher = try AMQPPublisher(
                configuration: configuration, name: "publisher", options: PublisherOptions(reconnectBackoff: backoff),
                logger: log.logger(level: .info), metrics: metrics)
            let consumer = try AMQPConsumer(
                configuration: configuration, name: "consumer", queue: "q", options: ConsumerOptions(reconnectBackoff: backoff),
                logger: log.logger(level: .info), metrics: metrics)
            let running = [Task { try await publisher.run() }, Task { try await consumer.run() }]
            let isTried = try await eventually {
                ["publisher", "consumer"].allSatisfy { (metrics["amqp_connection_failures_total client=\($0)"] ?? 0) >= 20 }
            }
            #expect(isTried)
            for task in running { task.cancel() }
            let lines = log.text.split(separator: "\n").filter { $0.contains("no connection to the broker") }
            #expect(lines.count == 2, "\(log.text)")
        }

        @Test func `a frozen broker is noticed: small messages are unknown in time, and it is found again`() async throws {
            try await fixture.withPublisher("frozen", options: fixture.options(timeout: .seconds(3)), parameters: "?heartbeat=1") { publisher in
                #expect(await publisher.publish(fixture.publication("frozen", id: "0")) == .confirmed)
                try server.freeze()
                let outcomes = await publisher.publish((1...20).map { fixture.publication("frozen", id: "\($0)") })
                #expect(outcomes.allSatisfy { $0 == .unknown(.connectionLost) || $0 == .unknown(.timedOut) }, "\(outcomes)")
                #expect(try await eventually { publisher.status.phase == .connecting })
                // The kernel still takes connections; nobody answers on them.
                #expect(await publisher.publish(fixture.publication("frozen", id: "21")) == .notSent(.timedOut))
                try server.thaw()
                #expect(try await eventually(within: .seconds(20)) { publisher.status.isOpen })
                #expect(await publisher.publish(fixture.publication("frozen", id: "22")) == .confirmed)
            }
        }

        @Test func `a write that a frozen broker never takes is cut off`() async throws {
            let options = fixture.options(timeout: .seconds(120), bytes: 40_000_000, stall: .seconds(1))
            // Heartbeats far apart, so that nothing else ends the connection.
            try await fixture.withPublisher("stalled", options: options, parameters: "?heartbeat=60") { publisher in
                try server.freeze()
                let started = ContinuousClock.now
                // More than all buffers on its way.
                let body = [UInt8](repeating: 1, count: 32_000_000)
                #expect(await publisher.publish(fixture.publication("stalled", id: "1", body: body)) == .unknown(.connectionLost))
                // Far less than the 120 s after which the time-out or the heartbeats would have ended it.
                #expect(ContinuousClock.now - started < .seconds(60))
                try server.thaw()
                #expect(try await eventually(within: .seconds(20)) { publisher.status.isOpen })
                #expect(await publisher.publish(fixture.publication("stalled", id: "x")) == .confirmed)
            }
        }

        @Test func `a broker in alarm is sent nothing, which shows, and gets the rest after the alarm`() async throws {
            try await fixture.withPublisher("alarm", options: fixture.options(timeout: .seconds(120)), parameters: "?heartbeat=1") { publisher in
                try await server.control("set_vm_memory_high_watermark", "0.00001")
                // The first to be sent is what the broker answers with its request for silence.
                async let first = publisher.publish(fixture.publication("alarm", id: "1"))
                #expect(try await eventually { publisher.status.isBlocked })
                async let second = publisher.publish(fixture.publication("alarm", id: "2"))
                #expect(try await eventually { publisher.status.queued == 1 })
                // Silence, and yet alive: for three heartbeats nothing is sent and nothing is given up.
                try await fixture.expectSteady(for: .seconds(3)) { publisher.status.isBlocked && publisher.status.queued == 1 }
                try await server.control("set_vm_memory_high_watermark", "absolute", "2GB")
                #expect(await first == .confirmed)
                #expect(await second == .confirmed)
                #expect(!publisher.status.isBlocked && publisher.status.generation == 1)
            }
        }

        @Test func `a message whose time is over during an alarm was not sent, for that reason`() async throws {
            try await fixture.withPublisher("silence", options: fixture.options(timeout: .seconds(2))) { publisher in
                try await server.control("set_vm_memory_high_watermark", "0.00001")
                async let first = publisher.publish(fixture.publication("silence", id: "1"))
                #expect(try await eventually { publisher.status.isBlocked })
                let second = await publisher.publish(fixture.publication("silence", id: "2"))
                #expect(await first == .unknown(.timedOut))
                guard case .notSent(.blocked(let reason)) = second else {
                    Issue.record("\(second)")
                    return
                }
                #expect(reason.contains("memory"))
                try await server.control("set_vm_memory_high_watermark", "absolute", "2GB")
                #expect(try await eventually { !publisher.status.isBlocked })
                #expect(await publisher.publish(fixture.publication("silence", id: "3")) == .confirmed)
            }
        }

        @Test func `a connection that the broker closes is made again`() async throws {
            try await fixture.withPublisher("closed") { publisher in
                try await fixture.withConsumer("closed") { consumer in
                    #expect(try await eventually { consumer.status.isSubscribed })
                    try await server.control("close_all_connections", "by a test")
                    #expect(try await eventually { publisher.status.generation == 2 && publisher.status.isOpen })
                    #expect(await publisher.publish(fixture.publication("closed", id: "1")) == .confirmed)
                    #expect(try await fixture.take(1, from: consumer).map(\.message.messageID) == ["1"])
                    #expect(consumer.status.generation == 2)
                }
            }
        }

        @Test func `a broker that is killed leaves what was in flight unknown, and what was confirmed on its disk`() async throws {
            try await fixture.withPublisher("killed", parameters: "?heartbeat=2") { publisher in
                let before = await publisher.publish((0..<200).map { fixture.publication("killed", id: "before-\($0)") })
                #expect(before.allSatisfy { $0 == .confirmed })
                // Mnesia writes that there is such a queue up to two seconds later: until then a crash takes it away with all it holds.
                try await fixture.expectSteady(for: .seconds(3)) { publisher.status.isOpen }
                try server.freeze()
                async let lost = publisher.publish((0..<10).map { fixture.publication("killed", id: "lost-\($0)") })
                #expect(try await eventually { publisher.status.unconfirmed == 10 })
                try await server.kill()
                #expect(await lost == Array(repeating: .unknown(.connectionLost), count: 10))
                try await server.start()
                #expect(try await eventually(within: .seconds(20)) { publisher.status.isOpen })
                let after = await publisher.publish(fixture.publication("killed", id: "after"))
                #expect(after == .confirmed)
                let expected = Set((0..<200).map { "before-\($0)" } + ["after"])
                let found = try await fixture.withConsumer("killed", prefetch: 300) { consumer in
                    var found = Set(try await fixture.take(201, from: consumer).map(\.message.messageID))
                    // Unknown means that it may have arrived.
                    while !found.isSuperset(of: expected), let more = try await fixture.take(1, from: consumer).first {
                        found.insert(more.message.messageID)
                    }
                    return found
                }
                #expect(found.isSuperset(of: expected))
                #expect(found.subtracting(expected).allSatisfy { $0.hasPrefix("lost-") })
            }
        }
    }
}
