import AMQP
import Concurrency
import Logging
import TestSupport
import Testing

/// Everything that needs a broker, one test at a time: some of them stop it or fill its memory.
@Suite(.serialized) struct AMQPBrokerTests {
    let server: RabbitMQServer

    /// Not the one of other suites, for these tests stop, stall and fill it.
    private static let broker = Task { try await RabbitMQServer.startSeparate() }

    init() async throws { server = try await Self.broker.value }

    static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    static let fastBackoff = Backoff(first: .milliseconds(50), maximum: .milliseconds(200))

    func configuration(_ parameters: String = "") throws -> AMQPConfiguration { try AMQPConfiguration(url: server.url(parameters: parameters)) }

    /// An exchange with one queue of the test's own, which gets what is published under its name.
    func topology(_ name: String) -> AMQPTopology {
        AMQPTopology(
            exchanges: [AMQPExchange("test.\(name)")], queues: [AMQPQueue(name)],
            bindings: [AMQPBinding(queue: name, exchange: "test.\(name)", routingKey: name)])
    }

    func publication(_ name: String, id: String, key: String? = nil, body: [UInt8] = [1, 2, 3]) -> AMQPPublication {
        AMQPPublication(AMQPMessage(body: body, messageID: id), exchange: "test.\(name)", routingKey: key ?? name)
    }

    func options(
        window: Int = 256, queued: Int = 10_000, timeout: Duration = .seconds(20), bytes: Int = 2_000_000, stall: Duration = .seconds(2)
    ) -> PublisherOptions {
        PublisherOptions(
            maximumUnconfirmed: window, maximumQueued: queued, publishTimeout: timeout, maximumMessageBytes: bytes, stallLimit: stall,
            drainTimeout: .seconds(2), reconnectBackoff: Self.fastBackoff)
    }

    /// Runs a publisher for as long as `body` takes.
    func withPublisher<Value: Sendable>(
        _ name: String, options: PublisherOptions? = nil, parameters: String = "", topology: AMQPTopology? = nil,
        _ body: @Sendable (AMQPPublisher) async throws -> Value
    ) async throws -> Value {
        let publisher = try AMQPPublisher(
            configuration: configuration(parameters), name: "publisher.\(name)", topology: topology ?? self.topology(name),
            options: options ?? self.options(), logger: Self.quiet)
        let service: @Sendable () async throws -> Void = { try await publisher.run() }
        return try await running(service) {
            #expect(try await eventually { publisher.status.isOpen })
            return try await body(publisher)
        }
    }

    /// Runs a consumer for as long as `body` takes.
    func withConsumer<Value: Sendable>(
        _ name: String, prefetch: Int = 100, parameters: String = "", topology: AMQPTopology? = nil,
        _ body: @Sendable (AMQPConsumer) async throws -> Value
    ) async throws -> Value {
        let consumer = try AMQPConsumer(
            configuration: configuration(parameters), name: "consumer.\(name)", queue: name, topology: topology ?? self.topology(name),
            options: ConsumerOptions(
                prefetch: prefetch, stallLimit: .seconds(2), drainTimeout: .milliseconds(500), reconnectBackoff: Self.fastBackoff,
                resubscribeBackoff: Self.fastBackoff),
            logger: Self.quiet)
        let service: @Sendable () async throws -> Void = { try await consumer.run() }
        return try await running(service) { try await body(consumer) }
    }

    private func running<Value: Sendable>(
        _ service: @escaping @Sendable () async throws -> Void, _ body: () async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await service() }
            let value = try await body()
            group.cancelAll()
            try await group.waitForAll()
            return value
        }
    }

    /// The next deliveries, as many as come in time.
    func take(
        _ count: Int, from consumer: AMQPConsumer, within limit: Duration = .seconds(10), isAcknowledging: Bool = false
    ) async throws -> [AMQPDelivery] {
        try await withThrowingTaskGroup(of: [AMQPDelivery]?.self) { group in
            group.addTask {
                var taken: [AMQPDelivery] = []
                for await delivery in consumer.deliveries {
                    taken.append(delivery)
                    if isAcknowledging { consumer.acknowledge(delivery.receipt) }
                    if taken.count == count { break }
                }
                return taken
            }
            group.addTask {
                _ = try? await eventually(within: limit) { false }
                return nil
            }
            let first = try await group.next() ?? nil
            group.cancelAll()
            if let first { return first }
            return try await (group.next() ?? nil) ?? []
        }
    }

    /// That something stays as it is.
    func expectSteady(
        for time: Duration = .milliseconds(300), sourceLocation: SourceLocation = #_sourceLocation, _ condition: () -> Bool
    ) async throws {
        let hasChanged = try await eventually(within: time) { !condition() }
        #expect(!hasChanged, sourceLocation: sourceLocation)
    }

    /// That the broker comes to hold this many, which it counts with some delay.
    func expectMessages(_ count: Int, in queue: String, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        var last: Int?
        let isReached = try await eventually(every: .milliseconds(100)) {
            last = try await server.messages(in: queue)
            return last == count
        }
        #expect(isReached, "\(String(describing: last))", sourceLocation: sourceLocation)
    }
}
