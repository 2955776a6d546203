internal import CoreMetrics

/// What every client counts about its connection; made once, labelled with the client's name.
struct ConnectionMetrics: Sendable {
    /// 1 while a channel is open.
    let connected: Gauge
    let made: Counter
    /// Attempts that failed and connections that were lost.
    let failures: Counter
    let channelsClosed: Counter

    init(client: String, factory: any MetricsFactory) {
        let client = [("client", client)]
        connected = Gauge(label: "amqp_connected", dimensions: client, factory: factory)
        made = Counter(label: "amqp_connections_total", dimensions: client, factory: factory)
        failures = Counter(label: "amqp_connection_failures_total", dimensions: client, factory: factory)
        channelsClosed = Counter(label: "amqp_channels_closed_total", dimensions: client, factory: factory)
    }
}

struct PublisherMetrics: Sendable {
    let connection: ConnectionMetrics
    /// 1 while the broker blocks publishing.
    let blocked: Gauge
    let unconfirmed: Gauge
    let queued: Gauge
    private let results: [String: Counter]

    init(client: String, factory: any MetricsFactory) {
        connection = ConnectionMetrics(client: client, factory: factory)
        let client = [("client", client)]
        blocked = Gauge(label: "amqp_blocked", dimensions: client, factory: factory)
        unconfirmed = Gauge(label: "amqp_unconfirmed", dimensions: client, factory: factory)
        queued = Gauge(label: "amqp_queued", dimensions: client, factory: factory)
        results = Dictionary(
            uniqueKeysWithValues: PublishOutcome.labels.map { result in
                (result, Counter(label: "amqp_publish_total", dimensions: client + [("result", result)], factory: factory))
            })
    }

    func published(_ outcome: PublishOutcome) { results[outcome.label]?.increment() }
}

struct ConsumerMetrics: Sendable {
    let connection: ConnectionMetrics
    let deliveries: Counter
    let redeliveries: Counter
    let unsettled: Gauge
    let acknowledged: Counter
    let rejected: Counter
    /// Settlements of deliveries that were settled before or whose channel is gone.
    let staleSettlements: Counter
    /// Subscriptions that the broker ended.
    let cancellations: Counter

    init(client: String, factory: any MetricsFactory) {
        connection = ConnectionMetrics(client: client, factory: factory)
        let client = [("client", client)]
        func counter(_ label: String) -> Counter { Counter(label: label, dimensions: client, factory: factory) }
        deliveries = counter("amqp_deliveries_total")
        redeliveries = counter("amqp_redeliveries_total")
        unsettled = Gauge(label: "amqp_unsettled", dimensions: client, factory: factory)
        acknowledged = counter("amqp_acknowledged_total")
        rejected = counter("amqp_rejected_total")
        staleSettlements = counter("amqp_stale_settlements_total")
        cancellations = counter("amqp_subscriptions_cancelled_total")
    }
}
