import CoreMetrics
import Synchronization

/// One time series, or for a histogram the group of them, that writes its own lines.
protocol PrometheusSeries: AnyObject, Sendable {
    /// Appends the sample lines; `labels` is `name="value",…` or empty.
    func render(name: String, labels: String, into text: inout String)
}

extension PrometheusSeries {
    func line(_ name: String, _ labels: String, _ value: String, into text: inout String) {
        text += labels.isEmpty ? "\(name) \(value)\n" : "\(name){\(labels)} \(value)\n"
    }
}

/// A count that only grows; incrementing is one atomic addition.
final class PrometheusCounter: PrometheusSeries, CounterHandler {
    private let count = Atomic<Int64>(0)

    /// A negative amount is ignored: a counter never falls, but by ``reset()``.
    func increment(by amount: Int64) {
        guard amount > 0 else { return }
        count.wrappingAdd(amount, ordering: .relaxed)
    }

    func reset() {
        count.store(0, ordering: .relaxed)
    }

    func render(name: String, labels: String, into text: inout String) {
        line(name, labels, String(count.load(ordering: .relaxed)), into: &text)
    }
}

/// A value that goes up and down: the latest one counts.
final class PrometheusGauge: PrometheusSeries, RecorderHandler, MeterHandler {
    private let value = AtomicDouble()

    func record(_ value: Int64) { set(Double(value)) }
    func record(_ value: Double) { set(value) }
    func set(_ value: Int64) { set(Double(value)) }
    func set(_ value: Double) { self.value.set(value) }
    func increment(by amount: Double) { value.add(amount) }
    func decrement(by amount: Double) { value.add(-amount) }

    func render(name: String, labels: String, into text: inout String) {
        line(name, labels, PrometheusText.number(value.value), into: &text)
    }
}

/// A value that somebody else keeps; it is read when the metrics are.
final class PrometheusObservation: PrometheusSeries {
    private let read: @Sendable () -> Double

    init(_ read: @escaping @Sendable () -> Double) {
        self.read = read
    }

    func render(name: String, labels: String, into text: inout String) {
        line(name, labels, PrometheusText.number(read()), into: &text)
    }
}

/// Takes what the bounds do not allow to be kept, and counts it.
final class PrometheusOverflow: CounterHandler, RecorderHandler, MeterHandler, TimerHandler {
    private let dropped: PrometheusCounter

    init(dropped: PrometheusCounter) {
        self.dropped = dropped
    }

    func increment(by amount: Int64) { dropped.increment(by: 1) }
    func reset() {}
    func record(_ value: Int64) { dropped.increment(by: 1) }
    func record(_ value: Double) { dropped.increment(by: 1) }
    func set(_ value: Int64) { dropped.increment(by: 1) }
    func set(_ value: Double) { dropped.increment(by: 1) }
    func increment(by amount: Double) { dropped.increment(by: 1) }
    func decrement(by amount: Double) { dropped.increment(by: 1) }
    func recordNanoseconds(_ duration: Int64) { dropped.increment(by: 1) }
}
