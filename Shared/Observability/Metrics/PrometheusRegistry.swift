package import CoreMetrics
import Synchronization

/// Keeps a process's metrics and writes them as Prometheus text; the backend of swift-metrics.
///
/// Counters end in `_total`, timers are histograms of seconds ending in `_seconds`, aggregating recorders are histograms of counts,
/// other recorders and meters are gauges. Make a metric once and keep it: making takes the registry's lock, recording does not.
/// A series lives as long as the process, so that destroying one handle never silences another of the same name.
package final class PrometheusRegistry: MetricsFactory {
    /// More label sets of one metric than this mean that an id has become a label.
    package static let maximumLabelSetsPerMetric = 128
    /// More metrics than this mean that names are made up at run time.
    package static let maximumMetrics = 512
    /// Counts what was recorded into metrics and label sets over the bounds, or under one name as two kinds.
    package static let droppedMetric = "florin_metrics_dropped_total"

    private enum Kind: String {
        case counter
        case gauge
        case histogram
    }

    private struct Metric {
        let kind: Kind
        var help: String
        /// In the order of their labels as written, for a stable text.
        var series: [String: any PrometheusSeries] = [:]
    }

    private let metrics: Mutex<[String: Metric]>
    private let helpTexts: Mutex<[String: String]> = Mutex([:])
    private let bounds: Mutex<[String: [Double]]> = Mutex([:])
    private let overflow: PrometheusOverflow

    package init() {
        let dropped = PrometheusCounter()
        overflow = PrometheusOverflow(dropped: dropped)
        let metric = Metric(kind: .counter, help: "Recordings that the bounds of the registry did not keep.", series: ["": dropped])
        metrics = Mutex([Self.droppedMetric: metric])
    }

    /// Says what a metric means; without it the help is the name it was made with.
    ///
    /// - Parameter name: As it is written out, suffix included. Names that are never made take no room in the text.
    package func describe(_ name: String, _ help: String) {
        helpTexts.withLock { texts in
            guard texts.count < Self.maximumMetrics else { return }
            texts[name] = help
        }
    }

    /// Gives a timer buckets of its own, where the usual ones are too coarse for what it is judged by.
    ///
    /// - Parameters:
    ///   - name: As it is written out, suffix included. Timers that were made before keep theirs.
    ///   - bounds: Seconds, inclusive, ascending.
    package func buckets(_ name: String, _ bounds: [Double]) {
        self.bounds.withLock { all in
            guard all.count < Self.maximumMetrics else { return }
            all[name] = bounds
        }
    }

    /// What a value that is read at each scrape means to Prometheus.
    package enum ObservationKind: Sendable {
        /// Only grows while the process lives; its name ends in `_total`.
        case counter
        case gauge
    }

    /// Makes a series whose value somebody else keeps: a pool, a queue, the system.
    ///
    /// - Parameter read: Asked at each scrape, by one thread at a time or several; it must not wait. The first for a name and labels stays.
    package func observe(
        _ name: String, _ kind: ObservationKind, _ help: String, labels: [(String, String)] = [], read: @escaping @Sendable () -> Double
    ) {
        describe(name, help)
        let kind: Kind =
            switch kind {
            case .counter: .counter
            case .gauge: .gauge
            }
        if series(name, kind, help: help, labels, make: { PrometheusObservation(read) }) == nil { overflow.increment(by: Int64(1)) }
    }

    /// All metrics, sorted by name and labels.
    package func render() -> String {
        let metrics = metrics.withLock { $0 }
        let helpTexts = helpTexts.withLock { $0 }
        var text = ""
        for (name, metric) in metrics.sorted(by: { $0.key < $1.key }) {
            text += "# HELP \(name) \(PrometheusText.help(helpTexts[name] ?? metric.help))\n# TYPE \(name) \(metric.kind.rawValue)\n"
            for (labels, series) in metric.series.sorted(by: { $0.key < $1.key }) { series.render(name: name, labels: labels, into: &text) }
        }
        return text
    }

    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        let name = PrometheusName.metric(label, suffix: "_total")
        return series(name, .counter, help: label, dimensions) { PrometheusCounter() } ?? overflow
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        series(PrometheusName.metric(label), .gauge, help: label, dimensions) { PrometheusGauge() } ?? overflow
    }

    package func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        let name = PrometheusName.metric(label)
        if aggregate {
            return series(name, .histogram, help: label, dimensions) { PrometheusHistogram(bounds: PrometheusHistogram.countBuckets) } ?? overflow
        }
        return series(name, .gauge, help: label, dimensions) { PrometheusGauge() } ?? overflow
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        let name = PrometheusName.metric(label, suffix: "_seconds")
        let bounds = bounds.withLock { $0[name] } ?? PrometheusHistogram.secondsBuckets
        return series(name, .histogram, help: label, dimensions) { PrometheusHistogram(bounds: bounds) } ?? overflow
    }

    package func destroyCounter(_ handler: any CounterHandler) {}
    package func destroyMeter(_ handler: any MeterHandler) {}
    package func destroyRecorder(_ handler: any RecorderHandler) {}
    package func destroyTimer(_ handler: any TimerHandler) {}

    /// The series of a name and labels, made if it is new; nil when a bound is reached or the name is another kind's.
    private func series<Series: PrometheusSeries>(
        _ name: String, _ kind: Kind, help: String, _ dimensions: [(String, String)], make: () -> Series
    ) -> Series? {
        let labels = PrometheusText.labels(dimensions.map { (PrometheusName.label($0.0), $0.1) }.sorted { $0.0 < $1.0 })
        return metrics.withLock { metrics in
            if metrics[name] == nil {
                guard metrics.count < Self.maximumMetrics else { return nil }
                metrics[name] = Metric(kind: kind, help: help)
            }
            guard let metric = metrics[name], metric.kind == kind else { return nil }
            if let known = metric.series[labels] { return known as? Series }
            guard metric.series.count < Self.maximumLabelSetsPerMetric else { return nil }
            let series = make()
            metrics[name]?.series[labels] = series
            return series
        }
    }
}
