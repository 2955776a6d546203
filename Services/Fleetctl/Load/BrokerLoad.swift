package import AMQP
import Contracts
import EventBroker
import FoundationEssentials
import Logging
package import ServiceRuntime

/// RabbitMQ under load, by the same client as the services use.
package struct BrokerLoad: Sendable {
    /// A delivery of an event.
    package struct Arrival: Sendable {
        let event: EventID
        let microsecondsSinceUnixEpoch: Int64

        var line: String { "\(event.uuid)\t\(microsecondsSinceUnixEpoch)\n" }
    }

    private static let name = "fleetctl-load"
    private static let consumer = "ops-risk"
    /// For a connection, and for all confirms.
    private static let connectLimit = Duration.seconds(20)
    private static let publishLimit = Duration.seconds(120)
    private static let tick = Duration.milliseconds(5)

    private let configuration: AMQPConfiguration
    private let measured: [Int]
    private let topology: AMQPTopology
    private let queue: String

    /// - Throws: ``InvalidConfiguration`` when RABBITMQ_URL is missing or can't be used.
    package static func configuration(environment: [String: String]) throws(InvalidConfiguration) -> AMQPConfiguration {
        try BrokerSettings(SettingsReader(environment: environment).read(BrokerSettings.declared)).configuration
    }

    /// - Parameter processes: Of which the processor time is to be reported.
    package init(_ configuration: AMQPConfiguration, measuring processes: [Int]) {
        self.configuration = configuration
        measured = processes
        var topology = EventTopology.consumer(of: Self.consumer)?.topology ?? AMQPTopology()
        topology.exchanges = [EventTopology.exchange]
        self.topology = topology
        queue = Self.consumer
    }

    /// Publishes events in their order.
    ///
    /// - Parameter window: Sent and not yet confirmed.
    /// - Returns: how many were confirmed, and how long it took from handing them over to the last confirm.
    /// - Throws: ``UnreachableDependency`` when there is no connection.
    package func publish(_ publications: [AMQPPublication], window: Int) async throws -> BrokerLoadReport {
        let publisher = try AMQPPublisher(
            configuration: configuration, name: Self.name, topology: topology,
            options: PublisherOptions(
                maximumUnconfirmed: window, maximumQueued: publications.count, publishTimeout: Self.publishLimit),
            logger: Logger(label: Self.name) { _ in SwiftLogNoOpLogHandler() })
        return try await withThrowingTaskGroup { group in
            group.addTask { try await publisher.run() }
            defer { group.cancelAll() }
            try await connected { publisher.status }
            var clock = LoadClock(measured)
            let outcomes = await publisher.publish(publications)
            clock.stop()
            return BrokerLoadReport(events: outcomes.count { $0 == .confirmed }, clock)
        }
    }

    /// Takes events and acknowledges them, so many at a time.
    ///
    /// - Parameters:
    ///   - count: How many are expected; nil for as many as come.
    ///   - idle: Without any event for so long the run ends.
    /// - Returns: how many came, and how long it took from the first to the last.
    /// - Throws: ``UnreachableDependency`` when there is no connection.
    package func consume(
        events count: Int?, prefetch: Int, acknowledging group: Int, idle: Duration
    ) async throws -> (report: BrokerLoadReport, arrivals: [Arrival]) {
        let consumer = try AMQPConsumer(
            configuration: configuration, name: Self.name, queue: queue, topology: topology, options: ConsumerOptions(prefetch: prefetch),
            logger: Logger(label: Self.name) { _ in SwiftLogNoOpLogHandler() })
        let taker = ArrivalTaker(consumer, atMost: count ?? .max, acknowledging: group)
        return try await withThrowingTaskGroup { tasks in
            // Its end, asked for by the cancellation below, waits until the broker has the acknowledgements.
            tasks.addTask { try await consumer.run() }
            try await connected { consumer.status }
            var clock = LoadClock(measured)
            let take = Task { await taker.run() }
            var last = ContinuousClock.now
            var seen = 0
            while !taker.isDone, ContinuousClock.now - last < idle {
                try await Task.sleep(for: Self.tick)
                guard taker.count != seen else { continue }
                if seen == 0 { clock.start() }
                seen = taker.count
                last = .now
                clock.stop()
            }
            take.cancel()
            let arrivals = await take.value
            if let times = taker.times { clock.took(times.first.duration(to: times.last)) }
            tasks.cancelAll()
            return (BrokerLoadReport(events: arrivals.count, clock), arrivals)
        }
    }

    /// Waits for the first connection, and for no second attempt.
    private func connected(_ status: () -> AMQPConnectionStatus) async throws {
        let end = ContinuousClock.now + Self.connectLimit
        while true {
            let status = status()
            if status.isOpen { return }
            guard status.lastError == nil, ContinuousClock.now < end else {
                throw UnreachableDependency(configuration, reason: status.lastError?.description)
            }
            try await Task.sleep(for: Self.tick)
        }
    }
}
