import CoreMetrics
import Synchronization

/// Counts observations in fixed buckets; recording is two atomic additions.
///
/// `@unchecked Sendable`: `counts` is set once and freed in `deinit`, and what it points at is atomic.
final class PrometheusHistogram: PrometheusSeries, RecorderHandler, TimerHandler, @unchecked Sendable {
    /// Upper bounds of durations in seconds: from a cached read to a request that has been given up.
    static let secondsBuckets = [
        0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
    ]
    /// Upper bounds of sizes and counts: batches, queues, rows.
    static let countBuckets: [Double] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 4_096, 16_384, 65_536]

    private static let nanosecondsPerSecond = 1_000_000_000.0

    private let bounds: [Double]
    /// One more than there are bounds: the last takes what is larger than all of them.
    private let counts: UnsafeMutablePointer<Atomic<UInt64>>
    private let sum = AtomicDouble()

    /// - Parameter bounds: The buckets' upper bounds, inclusive, ascending.
    init(bounds: [Double]) {
        self.bounds = bounds
        counts = .allocate(capacity: bounds.count + 1)
        for index in 0...bounds.count { (counts + index).initialize(to: Atomic(0)) }
    }

    deinit {
        counts.deinitialize(count: bounds.count + 1)
        counts.deallocate()
    }

    func record(_ value: Int64) { record(Double(value)) }
    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / Self.nanosecondsPerSecond) }

    func record(_ value: Double) {
        guard !value.isNaN else { return }
        var bucket = 0
        while bucket < bounds.count, value > bounds[bucket] { bucket += 1 }
        counts[bucket].wrappingAdd(1, ordering: .relaxed)
        sum.add(value)
    }

    func render(name: String, labels: String, into text: inout String) {
        var total: UInt64 = 0
        for index in 0...bounds.count {
            total += counts[index].load(ordering: .relaxed)
            let bound = PrometheusText.labels([("le", PrometheusText.number(index < bounds.count ? bounds[index] : .infinity))])
            line("\(name)_bucket", labels.isEmpty ? bound : "\(labels),\(bound)", String(total), into: &text)
        }
        line("\(name)_sum", labels, PrometheusText.number(sum.value), into: &text)
        line("\(name)_count", labels, String(total), into: &text)
    }
}
