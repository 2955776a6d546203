/// Percentiles of the latencies of one run.
package struct LatencySummary: Equatable, Sendable {
    private static let nanosecondsPerMillisecond = 1_000_000.0

    package let p50Milliseconds: Double
    package let p99Milliseconds: Double

    /// - Parameter nanoseconds: One latency per answer, in any order; none gives zeros.
    package init(nanoseconds: [UInt64]) {
        let sorted = nanoseconds.sorted()
        p50Milliseconds = Double(Self.percentile(50, ofSorted: sorted)) / Self.nanosecondsPerMillisecond
        p99Milliseconds = Double(Self.percentile(99, ofSorted: sorted)) / Self.nanosecondsPerMillisecond
    }

    /// The smallest value that at least `percent` of a hundred of the values do not exceed (nearest rank); 0 when there are none.
    package static func percentile(_ percent: Int, ofSorted values: [UInt64]) -> UInt64 {
        precondition((1...100).contains(percent), "a percentile lies from 1 to 100")
        guard !values.isEmpty else { return 0 }
        let rank = (values.count * percent + 99) / 100
        return values[rank - 1]
    }
}
