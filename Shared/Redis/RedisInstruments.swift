import CoreMetrics
import Metrics
import Synchronization

/// What a client counts; made once.
final class RedisInstruments: Sendable {
    private let metrics: any MetricsFactory
    private let commands: Counter
    private let reconnects: Counter
    private let duration: Timer
    private let inFlight: Gauge
    private let failures = Mutex<[String: Counter]>([:])

    init(_ metrics: any MetricsFactory) {
        self.metrics = metrics
        commands = Counter(label: "redis_commands_total", factory: metrics)
        reconnects = Counter(label: "redis_reconnects_total", factory: metrics)
        duration = Timer(label: "redis_command_seconds", factory: metrics)
        inFlight = Gauge(label: "redis_commands_in_flight", factory: metrics)
        commands.increment(by: 0)
        reconnects.increment(by: 0)
    }

    func reconnected() { reconnects.increment() }
    func sent() { commands.increment() }
    func answered(afterNanoseconds nanoseconds: Int64) { duration.recordNanoseconds(nanoseconds) }
    func inFlight(_ count: Int) { inFlight.record(count) }

    func failed(_ error: RedisError) {
        let counter = failures.withLock { failures in
            if let known = failures[error.label] { return known }
            let counter = Counter(label: "redis_command_failures_total", dimensions: [("reason", error.label)], factory: metrics)
            failures[error.label] = counter
            return counter
        }
        counter.increment()
    }
}
