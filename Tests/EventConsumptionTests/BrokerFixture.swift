import AMQP
import Concurrency
import Contracts
import EventBroker
import Foundation
import Logging
import Observability
import Postgres
import ServiceDatabase
import ServiceLifecycle
import ServiceRuntime
import TestSupport
import Testing

@testable import EventConsumption

/// Everything that needs a broker, one test at a time: some of them stop it.
@Suite(.serialized) struct EventConsumerBrokerTests {
    /// Not the one that other suites freeze and fill.
    static let brokerTask = Task { try await RabbitMQServer.startSeparate() }
}

/// A consumer's database and its queue.
struct BrokerFixture {
    let base: ConsumptionFixture
    let broker: RabbitMQServer
    var name: String { base.name }

    static let fastBackoff = Backoff(first: .milliseconds(50), maximum: .milliseconds(200))

    init(server: PostgresServer? = nil) async throws {
        broker = try await EventConsumerBrokerTests.brokerTask.value
        base = try await ConsumptionFixture(server: server)
    }

    var configuration: AMQPConfiguration { get throws { try AMQPConfiguration(url: broker.url(parameters: "?heartbeat=2")) } }

    func options(
        delays: [Duration] = [.milliseconds(100), .milliseconds(300)], batchLimit: Int = 50, prefetch: Int = 100
    ) throws -> EventConsumerOptions {
        EventConsumerOptions(
            prefetch: prefetch, batchLimit: batchLimit, retries: try #require(RetryPlan(delays)),
            outageBackoff: Self.fastBackoff, retryPublishTimeout: .seconds(5), reconnectBackoff: Self.fastBackoff, drainTimeout: .seconds(3),
            watchInterval: .milliseconds(200))
    }

    struct Running: Sendable {
        let consumer: EventConsumer
        let group: ServiceGroup
        let registry: PrometheusRegistry

        /// The value of a series: `event_consumed_total{consumer="a",result="applied"}`.
        func metric(_ name: String, _ labels: String = "") -> Double? {
            let matching = registry.render().split(separator: "\n").filter { line in
                line.hasPrefix(name + "{") && labels.split(separator: ",").allSatisfy { line.contains($0) }
            }
            return matching.first.flatMap { $0.split(separator: " ").last }.flatMap { Double($0) }
        }

        func consumed(_ result: String) -> Double { metric("event_consumed_total", "result=\"\(result)\"") ?? 0 }
    }

    func consumer(
        _ handler: TestHandler, options: EventConsumerOptions? = nil, pool: PostgresPool? = nil, logger: Logger = ConsumptionFixture.quiet
    ) throws -> Running {
        let registry = PrometheusRegistry()
        let consumer = try EventConsumer(
            base.subscription(handler), broker: configuration, pool: pool ?? base.pool, keys: base.keys, options: options ?? self.options(),
            clock: ClockWitness(), logger: logger, metrics: registry)
        let group = ServiceGroup(configuration: ServiceGroupConfiguration(services: [consumer], logger: ConsumptionFixture.quiet))
        return Running(consumer: consumer, group: group, registry: registry)
    }

    /// Runs consumers for as long as `body` takes, and then drains them.
    func running<Value: Sendable>(_ consumers: [Running], _ body: () async throws -> Value) async throws -> Value {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for consumer in consumers { group.addTask { try await consumer.group.run() } }
            let value: Value
            do {
                value = try await body()
            } catch {
                group.cancelAll()
                throw error
            }
            for consumer in consumers { await consumer.group.triggerGracefulShutdown() }
            try await group.waitForAll()
            return value
        }
    }

    /// Makes the queue, so that what is published before a consumer runs is kept for it.
    func declare() async throws { try await base.subscription(TestHandler()).queue.topology.declare(on: configuration) }

    func publish(_ envelopes: [EventEnvelope]) async throws {
        try await publish(messages: envelopes.map { base.message($0) })
    }

    func publish(messages: [AMQPMessage]) async throws {
        let publisher = try AMQPPublisher(
            configuration: configuration, name: "test.\(name)", options: PublisherOptions(reconnectBackoff: Self.fastBackoff),
            logger: ConsumptionFixture.quiet, metrics: PrometheusRegistry())
        let outcomes = await withTaskGroup(of: Void.self) { group in
            group.addTask { try? await publisher.run() }
            let outcomes = await publisher.publish(
                messages.map { message in
                    let key = message.type.flatMap { $0.hasPrefix("ledger.") ? $0 : nil } ?? base.type
                    return AMQPPublication(message, exchange: EventTopology.exchange.name, routingKey: key)
                })
            group.cancelAll()
            await group.waitForAll()
            return outcomes
        }
        #expect(outcomes.allSatisfy { $0 == .confirmed }, "\(outcomes)")
    }

    /// Takes what is in the queue and returns it, as often as that.
    func giveBack(_ count: Int, times: Int64) async throws {
        let consumer = try AMQPConsumer(
            configuration: configuration, name: "test.\(name)", queue: name, logger: ConsumptionFixture.quiet, metrics: PrometheusRegistry())
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await consumer.run() }
            var kept = 0
            var deliveries = consumer.deliveries.makeAsyncIterator()
            while kept < count, let delivery = await deliveries.next() {
                if delivery.message.headers[EventHeader.returns]?.integer ?? 0 < times {
                    consumer.reject(delivery.receipt, isRequeued: true)
                } else {
                    kept += 1
                }
            }
            group.cancelAll()
            try await group.waitForAll()
        }
    }

    /// That all of these numbers come to be applied, each once.
    func expectApplied(
        _ numbers: some Sequence<Int>, within limit: Duration = .seconds(20), sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let expected = numbers.sorted()
        var last: [Int] = []
        _ = try await eventually(within: limit, every: .milliseconds(20)) {
            // While the test has the database down.
            last = (try? await base.numbers().sorted()) ?? []
            return last.count >= expected.count
        }
        #expect(last == expected, sourceLocation: sourceLocation)
    }

    /// That nothing is left in the consumer's queues.
    func expectEmptyQueues(_ delays: [Duration] = [], sourceLocation: SourceLocation = #_sourceLocation) async throws {
        for queue in [name] + delays.map({ RetryPlan.queueName(of: name, delay: $0) }) {
            var last: Int?
            let isEmpty = try await eventually(every: .milliseconds(200)) {
                last = try await broker.messages(in: queue)
                return last == 0
            }
            #expect(isEmpty, "\(queue): \(String(describing: last))", sourceLocation: sourceLocation)
        }
    }
}
