internal import CoreMetrics

/// What one client counts; made once, labelled with the client's name.
struct AMQPMetrics: Sendable {
    private let results: [String: Counter]
    let connected: Gauge
    let connections: Counter
    let losses: Counter
    let channelsClosed: Counter
    let blocked: Gauge
    let unconfirmed: Gauge
    let queued: Gauge
    let deliveries: Counter
    let redeliveries: Counter
    let unsettled: Gauge
    let acknowledged: Counter
    let rejected: Counter
    let staleSettlements: Counter
    let subscriptionsCancelled: Counter

    init(client: String, factory: any MetricsFactory) {
        let client = [("client", client)]
        func counter(_ label: String) -> Counter { Counter(label: label, dimensions: client, factory: factory) }
        func gauge(_ label: String) -> Gauge { Gauge(label: label, dimensions: client, factory: factory) }
        results = Dictionary(
            uniqueKeysWithValues: PublishOutcome.labels.map { result in
                (result, Counter(label: "amqp_publish_total", dimensions: client + [("result", result)], factory: factory))
            })
        connected = gauge("amqp_connected")
        connections = counter("amqp_connections_total")
        losses = counter("amqp_connection_failures_total")
        channelsClosed = counter("amqp_channels_closed_total")
        blocked = gauge("amqp_blocked")
        unconfirmed = gauge("amqp_unconfirmed")
        queued = gauge("amqp_queued")
        deliveries = counter("amqp_deliveries_total")
        redeliveries = counter("amqp_redeliveries_total")
        unsettled = gauge("amqp_unsettled")
        acknowledged = counter("amqp_acknowledged_total")
        rejected = counter("amqp_rejected_total")
        staleSettlements = counter("amqp_stale_settlements_total")
        subscriptionsCancelled = counter("amqp_subscriptions_cancelled_total")
    }

    func published(_ outcome: PublishOutcome) { results[outcome.label]?.increment() }
}
