import Metrics
import Observability
import ServiceRuntime
import TestSupport
import Testing
import Tracing

/// A tracer that records everything into a queue, and the metrics of both.
struct SpanFixture {
    struct Failure: Error, CustomStringConvertible {
        let description = "hunter2"
    }

    static let resource = SpanResource(serviceName: "wallet-ledger", serviceVersion: "1.2.3", instanceID: "pod-7", environment: "staging")

    let registry = PrometheusRegistry()
    let counters: SpanCounters
    let queue: SpanQueue
    let tracer: SpanTracer

    init(capacity: Int = SpanQueue.defaultCapacity, sampler: TraceSampler = TraceSampler(.alwaysOn)) {
        counters = SpanCounters(factory: registry)
        queue = SpanQueue(capacity: capacity, counters: counters)
        tracer = SpanTracer(sampler: sampler, queue: queue)
    }

    /// Ends so many spans.
    func end(_ count: Int) {
        for index in 0..<count { tracer.startSpan("span \(index)", context: .topLevel).end() }
    }

    func all() -> [SpanData] { queue.take(atMost: .max) }

    var exported: Int { value("\(SpanCounters.exportedMetric) ") }

    func dropped(_ reason: SpanCounters.DropReason) -> Int { value("\(SpanCounters.droppedMetric){reason=\"\(reason.rawValue)\"} ") }

    private func value(_ series: String) -> Int {
        let line = registry.render().split(separator: "\n").first { $0.hasPrefix(series) }
        return line.flatMap { Int($0.dropFirst(series.count)) } ?? -1
    }
}

/// Expects that a condition comes to hold.
func expectSoon(sourceLocation: SourceLocation = #_sourceLocation, _ condition: () -> Bool) async throws {
    let holds = try await eventually(within: .seconds(60)) { condition() }
    #expect(holds, sourceLocation: sourceLocation)
}
