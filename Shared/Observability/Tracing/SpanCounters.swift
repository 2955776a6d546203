package import CoreMetrics
import Metrics

/// How many spans reached the receiver, and how many were lost and why.
package struct SpanCounters: Sendable {
    package enum DropReason: String, Sendable, CaseIterable {
        case queueFull = "queue_full"
        /// The receiver refused them, whole or in part.
        case rejected
        /// The receiver did not answer, or asked for patience, more often than it is tried.
        case unavailable
        /// The process ended first.
        case shutdown
    }

    package static let exportedMetric = "otel_spans_exported_total"
    package static let droppedMetric = "otel_spans_dropped_total"

    private let exportedSpans: Counter
    /// All reasons from the start: a counter that appears with its first loss has no increase to alert on.
    private let droppedSpans: [DropReason: Counter]

    package init(factory: any MetricsFactory) {
        exportedSpans = Counter(label: Self.exportedMetric, factory: factory)
        droppedSpans = Dictionary(
            uniqueKeysWithValues: DropReason.allCases.map { reason in
                (reason, Counter(label: Self.droppedMetric, dimensions: [("reason", reason.rawValue)], factory: factory))
            })
    }

    func exported(_ count: Int) { exportedSpans.increment(by: count) }

    func dropped(_ count: Int, _ reason: DropReason) {
        guard count > 0 else { return }
        droppedSpans[reason]?.increment(by: count)
    }
}
