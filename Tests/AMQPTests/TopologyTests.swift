import AMQP
import TestSupport
import Testing

extension AMQPBrokerTests {
    @Suite struct AMQPTopologyTests {
        let fixture: AMQPBrokerTests

        init() async throws { fixture = try await AMQPBrokerTests() }

        @Test func `a topology is declared, again without harm, and compared`() async throws {
            var changing = fixture.topology("declared")
            changing.queues.append(.waiting("declared.wait", for: .milliseconds(200), thenTo: "declared"))
            let topology = changing
            let configuration = try fixture.configuration()
            let before = try await topology.findings(on: configuration).map(\.description)
            #expect(before == ["exchange test.declared is missing", "queue declared is missing", "queue declared.wait is missing"])
            try await topology.declare(on: configuration)
            try await topology.declare(on: configuration)
            #expect(try await topology.findings(on: configuration).isEmpty)
            // A message waits its time and goes on.
            try await fixture.withPublisher("declared", topology: topology) { publisher in
                let waiting = AMQPPublication(AMQPMessage(body: [1], messageID: "1"), exchange: "", routingKey: "declared.wait")
                #expect(await publisher.publish(waiting) == .confirmed)
                try await fixture.withConsumer("declared", topology: topology) { consumer in
                    let delivery = try await fixture.take(1, from: consumer).first
                    #expect(delivery?.message.messageID == "1")
                    guard case .array(let deaths) = delivery?.message.headers["x-death"], case .table(let death) = deaths.first else {
                        Issue.record("no x-death")
                        return
                    }
                    #expect(death["reason"] == "expired" && death["queue"] == "declared.wait" && death["count"] == 1)
                }
            }
        }

        @Test func `what exists in another shape is told by name, and left as it is`() async throws {
            let configuration = try fixture.configuration()
            try await fixture.topology("drift").declare(on: configuration)
            var changed = fixture.topology("drift")
            changed.exchanges[0].kind = .direct
            changed.queues[0].arguments["x-message-ttl"] = 5000
            let findings = try await changed.findings(on: configuration)
            #expect(
                findings.map(\.description) == [
                    "exchange test.drift has type topic, wanted direct", "queue drift has x-message-ttl none, wanted 5000",
                ])
            let error = await #expect(throws: AMQPError.self) { try await changed.declare(on: configuration) }
            #expect(error?.kind == .topologyDrift)
            #expect(error?.finding == findings.first)
            #expect(try await fixture.topology("drift").findings(on: configuration).isEmpty)
        }

        @Test func `a client with a drifted topology shows it and does not run on`() async throws {
            try await fixture.topology("stuck").declare(on: fixture.configuration())
            var changed = fixture.topology("stuck")
            changed.exchanges[0].kind = .fanout
            let publisher = try AMQPPublisher(
                configuration: fixture.configuration(), name: "publisher.stuck", topology: changed,
                options: fixture.options(timeout: .milliseconds(500)), logger: AMQPBrokerTests.quiet)
            let running = Task { try await publisher.run() }
            #expect(await publisher.publish(fixture.publication("stuck", id: "1")) == .notSent(.timedOut))
            #expect(publisher.status.lastError?.finding?.description == "exchange test.stuck has type topic, wanted fanout")
            running.cancel()
            try await running.value
        }

        @Test func `a broker's certificate is verified, by authority and by host name`() async throws {
            func publishes(_ url: String, within limit: Duration = .seconds(1)) async throws -> (PublishOutcome, AMQPError?) {
                let publisher = try AMQPPublisher(
                    configuration: AMQPConfiguration(url: url), name: "publisher.tls", topology: fixture.topology("tls"),
                    options: fixture.options(timeout: limit, bytes: 900_000), logger: AMQPBrokerTests.quiet)
                let running = Task { try await publisher.run() }
                let large = [UInt8](repeating: 3, count: 400_000)
                let outcome = await publisher.publish(fixture.publication("tls", id: "1", body: large))
                let error = publisher.status.lastError
                running.cancel()
                try await running.value
                return (outcome, error)
            }
            let server = fixture.server
            #expect(try await publishes(server.encryptedURL(authority: server.authority), within: .seconds(10)).0 == .confirmed)
            let foreign = try await publishes(server.encryptedURL(authority: await TestAuthority()))
            #expect(foreign.0 == .notSent(.timedOut))
            #expect(foreign.1?.kind == .connectFailed)
            let misnamed = try await publishes(server.encryptedURL(host: "127.0.0.1", authority: server.authority))
            #expect(misnamed.0 == .notSent(.timedOut))
            #expect(misnamed.1.map { "\($0)" }?.contains("hostname") == true, "\(String(describing: misnamed.1))")
        }
    }
}
