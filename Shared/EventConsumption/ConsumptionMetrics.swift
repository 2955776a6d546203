internal import CoreMetrics
internal import EventBroker
internal import Metrics
internal import Observability
internal import ServiceRuntime
internal import Synchronization

/// What a consumer counts; made once, labelled with its name.
struct ConsumptionMetrics: Sendable {
    /// What became of a delivery.
    enum Result: String, CaseIterable {
        case applied
        /// Its event had been applied before: redelivered, or published twice.
        case duplicate
        case ignored
        case retried
        case deadLettered = "dead_lettered"
        case givenBack = "given_back"
    }

    let batchSize: Recorder
    let batchSeconds: Timer
    /// Batches that failed and were tried event by event.
    let isolations: Counter
    /// Attempts to send failed events to a retry queue that were not confirmed.
    let retryPublishFailures: Counter
    /// Deliveries of events whose time lies ahead of this process's clock.
    let timesAhead: Counter
    private let consumed: [String: Counter]
    private let retries: [Duration: Counter]
    private let deadLetters: [EventFailure.Kind: Counter]
    let state: ConsumptionState

    init(_ subscription: EventSubscription, _ retries: RetryPlan, _ registry: PrometheusRegistry) {
        let consumer = [("consumer", subscription.name)]
        batchSize = Recorder(label: "event_batch_size", dimensions: consumer, aggregate: true, factory: registry)
        batchSeconds = Timer(label: "event_batch_seconds", dimensions: consumer, factory: registry)
        func counter(_ label: String, _ dimensions: [(String, String)] = []) -> Counter {
            let counter = Counter(label: label, dimensions: consumer + dimensions, factory: registry)
            counter.increment(by: 0)
            return counter
        }
        isolations = counter("event_batch_isolations_total")
        retryPublishFailures = counter("event_retry_publish_failures_total")
        timesAhead = counter("event_times_ahead_total")
        consumed = Dictionary(
            uniqueKeysWithValues: Result.allCases.map { ($0.rawValue, counter("event_consumed_total", [("result", $0.rawValue)])) })
        self.retries = Dictionary(
            uniqueKeysWithValues: retries.delays.map { ($0, counter("event_retries_total", [("stage", DurationText.render($0))])) })
        deadLetters = Dictionary(
            uniqueKeysWithValues: EventFailure.Kind.allCases.map { ($0, counter("event_dead_letters_total", [("class", $0.rawValue)])) })
        state = ConsumptionState()
        describe(registry)
        observe(registry, consumer)
    }

    func count(_ result: Result, _ number: Int = 1) { consumed[result.rawValue]?.increment(by: number) }
    func retried(after delay: Duration) { retries[delay]?.increment() }
    func deadLettered(_ kind: EventFailure.Kind) { deadLetters[kind]?.increment() }

    private func describe(_ registry: PrometheusRegistry) {
        registry.describe("event_consumed_total", "Deliveries that were settled, by outcome.")
        registry.describe("event_retries_total", "Retries scheduled, by delay.")
        registry.describe("event_dead_letters_total", "Events that became dead letters, by the class of their failure.")
        registry.describe("event_batch_size", "Events that were taken together.")
        registry.describe("event_batch_seconds", "Time from taking a batch to having settled it, in seconds.")
        registry.describe("event_batch_isolations_total", "Batches that failed and were tried again event by event.")
        registry.describe(
            "event_times_ahead_total", "Deliveries of events whose time lies more than ten seconds ahead of this process's clock; they wait.")
        registry.describe("event_retry_publish_failures_total", "Attempts to send failed events to a retry queue that were not confirmed.")
    }

    private func observe(_ registry: PrometheusRegistry, _ consumer: [(String, String)]) {
        let state = state
        registry.observe(
            "event_consumer_lag_seconds", .gauge,
            "Age of the oldest event of the batch in hand, or of the last one when it was done, in seconds; 0 while the queue is empty.",
            labels: consumer
        ) { state.lag }
        registry.observe(
            "event_consumer_paused", .gauge, "1 while the consumer waits for its own database to come back.", labels: consumer
        ) { state.isPaused ? 1 : 0 }
        registry.observe(
            "event_deliveries_held", .gauge, "Failed events that could not yet be sent to a retry queue or written as dead letters.",
            labels: consumer
        ) { Double(state.held) }
        registry.observe("dead_letters_open", .gauge, "Dead letters that wait for an operator.", labels: consumer) {
            Double(state.counts.open)
        }
        registry.observe(
            "dead_letter_oldest_age_seconds", .gauge, "Seconds since the oldest open dead letter failed for the first time; 0 without any.",
            labels: consumer
        ) { state.counts.oldestAge }
        let help = "Dead letters that were replayed by operators, by result; kept in the database."
        let results: [(String, @Sendable (DeadLetterStore.Counts) -> Int)] = [
            ("replayed", { $0.replayed }), ("already_applied", { $0.alreadyApplied }), ("failed", { $0.failedAgain }),
        ]
        for (result, count) in results {
            registry.observe("dead_letter_replays_total", .counter, help, labels: consumer + [("result", result)]) { Double(count(state.counts)) }
        }
    }
}

/// What a consumer is doing, read when metrics and readiness are asked for.
final class ConsumptionState: Sendable {
    private struct Values {
        /// Of the last batch when it was taken.
        var lag = 0.0
        /// Of the batch that is in hand.
        var takenAt: ContinuousClock.Instant?
        var waitsSince: ContinuousClock.Instant?
        var isPaused = false
        var isSubscribed = false
        var held = 0
        var counts = DeadLetterStore.Counts()
    }

    private let values = Mutex(Values())
    /// A pause between two batches is no empty queue yet.
    private static let emptyAfter = Duration.seconds(2)

    var lag: Double {
        values.withLock { values in
            if let since = values.waitsSince, values.isSubscribed, ContinuousClock.now - since > Self.emptyAfter { return 0 }
            return values.lag + (values.takenAt.map { (ContinuousClock.now - $0) / .seconds(1) } ?? 0)
        }
    }
    var isPaused: Bool { values.withLock { $0.isPaused } }
    var isSubscribed: Bool { values.withLock { $0.isSubscribed } }
    var held: Int { values.withLock { $0.held } }
    var counts: DeadLetterStore.Counts { values.withLock { $0.counts } }

    func waits() {
        values.withLock { values in
            values.waitsSince = .now
            if let takenAt = values.takenAt { values.lag += (ContinuousClock.now - takenAt) / .seconds(1) }
            values.takenAt = nil
        }
    }
    /// - Parameter lag: Seconds.
    func took(lag: Double?) {
        values.withLock { values in
            values.waitsSince = nil
            values.takenAt = .now
            if let lag { values.lag = lag }
        }
    }
    func set(paused: Bool) { values.withLock { $0.isPaused = paused } }
    func set(subscribed: Bool) { values.withLock { $0.isSubscribed = subscribed } }
    func set(held: Int) { values.withLock { $0.held = held } }
    func set(_ counts: DeadLetterStore.Counts) { values.withLock { $0.counts = counts } }
}
