import Contracts
import Metrics
import Observability
import Outbox
import ServiceRuntime
import Synchronization
import Tracing

/// What a relay counts, and what is read when it is asked for.
final class RelayMetrics: Sendable {
    /// What the loop last knew about itself.
    struct State: Sendable {
        var owned = 0
        var inMemory = 0
        var inFlight = 0
        var oldest: Timestamp?
        var isRefused = false
    }

    /// What the database was last asked for.
    struct Gauges: Sendable {
        var backlog = 0
        var held: [DeferredState: Int] = [:]
        var oldestHeld: Timestamp?
        /// In partitions that no relay leases, as all are while none reaches the broker.
        var oldestUnleased: Timestamp?
        /// Partitions whose marks are beyond the last event.
        var voidMarks = 0
    }

    let leasesLost: Counter
    let pruned: Counter
    private let publishedTotal: Counter
    private let latency: Metrics.Timer
    private let confirmation: Metrics.Timer
    private let setAsideTotals: [DeferredState: Counter]
    private let state = Mutex(State())
    private let gauges = Mutex(Gauges())

    /// Seconds: fine around the 15 and 100 ms that are promised, and up to an outage of the broker.
    private static let delays = [
        0.0025, 0.005, 0.0075, 0.01, 0.0125, 0.015, 0.02, 0.025, 0.035, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300,
    ]

    init(_ registry: PrometheusRegistry) {
        registry.buckets("outbox_publish_delay_seconds", Self.delays)
        leasesLost = Counter(label: "outbox_lease_lost_total", dimensions: [], factory: registry)
        pruned = Counter(label: "outbox_pruned_total", dimensions: [], factory: registry)
        publishedTotal = Counter(label: "outbox_published_total", dimensions: [], factory: registry)
        latency = Metrics.Timer(label: "outbox_publish_delay_seconds", dimensions: [], factory: registry)
        confirmation = Metrics.Timer(label: "outbox_confirm_seconds", dimensions: [], factory: registry)
        setAsideTotals = Dictionary(
            uniqueKeysWithValues: DeferredState.allCases.filter { $0 != .discarded }.map { state in
                (state, Counter(label: "outbox_set_aside_total", dimensions: [("state", state.rawValue)], factory: registry))
            })
        for counter in [leasesLost, pruned, publishedTotal] + Array(setAsideTotals.values) { counter.increment(by: 0) }
        describe(registry)
        observe(registry)
    }

    /// Whether the relay pauses because the broker refused events.
    var isRefused: Bool { state.withLock { $0.isRefused } }

    func tell(_ state: State) { self.state.withLock { $0 = state } }
    func tell(_ gauges: Gauges) { self.gauges.withLock { $0 = gauges } }

    func setAside(_ held: RelayChanges.Held) { setAsideTotals[held.state]?.increment() }

    /// An event is confirmed: counts it, and makes its span where its trace is sampled.
    func published(_ item: RelayItem, since handedOver: ContinuousClock.Instant, tracer: SpanTracer?, source: String) {
        publishedTotal.increment()
        let now = WallClock.microsecondsSinceUnixEpoch()
        let took = ContinuousClock.now - handedOver
        latency.recordMicroseconds(max(0, now - item.row.occurredAt.microsecondsSinceUnixEpoch))
        confirmation.record(duration: took)
        guard let tracer, let parent = item.row.traceparent.flatMap(TraceContext.init(traceparent:)), parent.isSampled else { return }
        var random = SystemRandomNumberGenerator()
        let begun = max(0, now - Int64(took.inSeconds * 1_000_000))
        let span = tracer.span(
            "send \(item.row.type)", .producer, as: parent.child(using: &random), childOf: parent, startedAt: UInt64(begun) * 1_000)
        span.attributes = [
            "messaging.system": "rabbitmq", "messaging.operation.type": "send", "messaging.destination.name": "florin.events",
            "messaging.rabbitmq.destination.routing_key": .string(item.row.type), "messaging.message.id": .string(item.row.eventID.description),
            "florin.outbox.source": .string(source),
        ]
        span.end()
    }

    /// Seconds since the oldest event occurred that is neither published nor parked, negative when it is stamped ahead of this process's
    /// clock; 0 when there is none.
    private var oldestAge: Double {
        let gauges = gauges.withLock { $0 }
        let oldest = [state.withLock { $0.oldest }, gauges.oldestHeld, gauges.oldestUnleased].compactMap { $0 }.min()
        guard let oldest else { return 0 }
        return Double(WallClock.microsecondsSinceUnixEpoch() - oldest.microsecondsSinceUnixEpoch) / 1e6
    }

    private func observe(_ registry: PrometheusRegistry) {
        registry.observe(
            "outbox_pending", .gauge, "Events that are not published and not set aside, of all partitions; \(OutboxUpkeep.countedAtMost) at most."
        ) { Double(self.gauges.withLock { $0.backlog }) }
        registry.observe(
            "outbox_oldest_age_seconds", .gauge,
            "Age of the oldest pending event, of this relay's partitions and those that none leases; 0 without one."
        ) { max(0, self.oldestAge) }
        registry.observe(
            "outbox_time_ahead_seconds", .gauge,
            "How far the time of the oldest pending event is ahead of this process's clock; its age then shows nothing."
        ) { max(0, -self.oldestAge) }
        registry.observe(
            "outbox_void_marks", .gauge, "Partitions whose mark is beyond the last event: they are not published until it is corrected."
        ) { Double(self.gauges.withLock { $0.voidMarks }) }
        registry.observe("outbox_partitions_owned", .gauge, "Partitions that this relay leases.") { Double(self.state.withLock { $0.owned }) }
        registry.observe("outbox_in_flight", .gauge, "Events sent and not confirmed.") { Double(self.state.withLock { $0.inFlight }) }
        registry.observe("outbox_in_memory", .gauge, "Events read and not settled.") { Double(self.state.withLock { $0.inMemory }) }
        registry.observe("outbox_refused", .gauge, "1 while the relay pauses because the broker refused events.") {
            self.state.withLock { $0.isRefused } ? 1 : 0
        }
        for state in DeferredState.allCases {
            registry.observe("outbox_held", .gauge, "Events set aside, by state, of all partitions.", labels: [("state", state.rawValue)]) {
                Double(self.gauges.withLock { $0.held[state] ?? 0 })
            }
        }
    }

    private func describe(_ registry: PrometheusRegistry) {
        registry.describe("outbox_lease_lost_total", "Partitions that another relay took over before this one gave them back.")
        registry.describe("outbox_pruned_total", "Published events deleted because they were old.")
        registry.describe("outbox_published_total", "Events that the broker confirmed.")
        registry.describe("outbox_publish_delay_seconds", "Time from an event's occurrence to the broker's confirm, in seconds.")
        registry.describe("outbox_confirm_seconds", "Time from the hand-over of an event to the broker's confirm, in seconds.")
        registry.describe("outbox_set_aside_total", "Events set aside because they, or one of their key before them, could not be published.")
        registry.describe("amqp_connected", "1 while the client has an open channel at the broker.")
        registry.describe("amqp_blocked", "1 while the broker blocks publishing.")
        registry.describe("amqp_publish_total", "Messages by outcome.")
    }
}
