package import AMQP
package import Contracts
internal import EventBroker
package import Logging
package import Observability
package import Postgres
package import ServiceDatabase
internal import ServiceLifecycle
package import ServiceRuntime

/// Consumes the events of one queue into the service's own database: each has its effect once, whatever dies in between; one that can't
/// be applied is tried again later and then kept as a dead letter.
///
/// At a graceful shutdown it takes nothing more, finishes what is in hand, tells the broker, and gives the rest back.
package final class EventConsumer: Service, CustomStringConvertible {
    private let parts: ConsumptionParts
    private let metricsFactory: PrometheusRegistry

    /// - Parameters:
    ///   - pool: The service's own database, as its serving role.
    ///   - tracer: Nil where no spans are made.
    /// - Throws: `connectFailed` when the process has no descriptors left.
    package init(
        _ subscription: EventSubscription, broker: AMQPConfiguration, pool: PostgresPool, keys: DeadLetterKeys,
        options: EventConsumerOptions = EventConsumerOptions(), clock: ClockWitness, logger: Logger, tracer: SpanTracer? = nil,
        metrics: PrometheusRegistry,
        now: @escaping @Sendable () -> Timestamp = Timestamp.now
    ) throws(AMQPError) {
        var topology = subscription.queue.topology
        topology.queues += options.retries.queues(of: subscription.name)
        var logger = logger
        logger[metadataKey: "event.consumer"] = "\(subscription.name)"
        let retries = try AMQPPublisher(
            configuration: broker, name: "\(subscription.name).retry", topology: topology,
            options: PublisherOptions(publishTimeout: options.retryPublishTimeout, reconnectBackoff: options.reconnectBackoff), logger: logger,
            metrics: metrics)
        let counters = ConsumptionMetrics(subscription, options.retries, metrics)
        parts = ConsumptionParts(
            subscription: subscription, options: options, broker: broker, topology: topology, pool: pool,
            database: RetryingExecutor(pool: pool, options: options, state: counters.state, logger: logger),
            application: EventApplication(subscription, transaction: options.transaction),
            deadLetters: DeadLetterStore(consumer: subscription.name, keys: keys), retries: retries, metrics: counters, logger: logger,
            tracer: tracer, clock: clock, now: now)
        metricsFactory = metrics
    }

    package var description: String { "consumer \(parts.subscription.name)" }

    /// Whether events are consumed now, and failed ones find a place; not critical, for a service that only reads can go on without.
    package var healthCheck: HealthCheck {
        let (state, retries) = (parts.metrics.state, parts.retries)
        return HealthCheck(name: "events", critical: false) {
            let status = retries.status
            guard state.isSubscribed, !state.isPaused, state.held == 0, status.isOpen, !status.isBlocked else { throw NotConsuming() }
        }
    }

    private struct NotConsuming: Error {}

    package func run() async throws {
        // In order of dependency: what fails in the last batch must still find its way to where it waits.
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [parts.retries, ConsumptionUpkeep(parts: parts), ConsumptionLoop(parts: parts, metrics: metricsFactory)],
                logger: parts.logger))
        try await group.run()
    }
}
