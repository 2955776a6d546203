internal import AMQP
internal import Logging
internal import Observability
internal import Outages
internal import ServiceLifecycle
internal import ServiceRuntime

/// Subscribes while the consumer's own database can be used, and works off what comes.
struct ConsumptionLoop: Service {
    let parts: ConsumptionParts
    let metrics: PrometheusRegistry

    /// The longest pause, in outages as long as one may be.
    private static let longestRest = 4

    func run() async throws {
        // Subscriptions in a row that ended with everything given back.
        var vain = 0
        while !Task.isShuttingDownGracefully, !Task.isCancelled {
            guard await parts.database.waitUntilUsable() else { continue }
            // An outage that no look finds, a full disk: each return counts against the queue's delivery limit, and at it the events are
            // lost to this consumer.
            if vain > 1 {
                guard await parts.database.rest(for: parts.options.outageLimit * min(vain - 1, Self.longestRest)) else { continue }
            }
            switch try await consume() {
            case .drained: return
            case .gaveBack(let hasApplied): vain = hasApplied ? 1 : vain + 1
            }
        }
    }

    /// One subscription, for as long as the database can be used.
    private func consume() async throws -> DeliveryWorker.ExitReason {
        let options = parts.options
        let consumer = try AMQPConsumer(
            configuration: parts.broker, name: parts.subscription.name, queue: parts.subscription.name, topology: parts.topology,
            options: ConsumerOptions(
                prefetch: options.prefetch, drainTimeout: options.drainTimeout, reconnectBackoff: options.reconnectBackoff,
                resubscribeBackoff: options.reconnectBackoff),
            logger: parts.logger, metrics: metrics)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await consumer.run() }
            group.addTask { await watch(consumer) }
            var worker = DeliveryWorker(consumer: consumer, parts: parts)
            let ending = await worker.run()
            // Ends a consumer whose worker gave up, and does nothing to one that closes already.
            group.cancelAll()
            defer { parts.metrics.state.set(subscribed: false) }
            try await group.waitForAll()
            return ending
        }
    }

    private func watch(_ consumer: AMQPConsumer) async {
        var refusals = OutageLog()
        for await change in consumer.changes {
            switch change {
            case .subscribed:
                parts.metrics.state.set(subscribed: true)
                _ = refusals.succeeded()
                parts.logger.info("consuming")
            case .cancelledByBroker, .lost: parts.metrics.state.set(subscribed: false)
            case .refused(let error):
                parts.metrics.state.set(subscribed: false)
                if let failures = refusals.failed("\(error)") {
                    parts.logger.warning("the broker refuses the subscription", metadata: ["error": "\(error)", "failures": "\(failures)"])
                }
            }
        }
    }
}
