import Observability
import ServiceRuntime
import Tracing

/// The span of a batch that holds a sampled request; most batches hold none and have no span.
///
/// A batch joins many requests: it is the child of the first sampled one, where an operator will look for it, and linked to them all.
struct BatchSpan {
    private let span: RecordedSpan

    init?(_ requests: some Sequence<PostingRequest>, size: Int, tracer: SpanTracer?) {
        guard let tracer else { return nil }
        let sampled = requests.compactMap { $0.traceparent.flatMap(TraceContext.init(traceparent:)) }.filter(\.isSampled)
        guard let first = sampled.first else { return nil }
        var random = SystemRandomNumberGenerator()
        span = tracer.span("ledger.batch", .internal, as: first.child(using: &random), childOf: first)
        span.attributes = ["db.system.name": "postgresql", "ledger.batch.size": .int64(Int64(size))]
        for trace in sampled { span.addLink(SpanLink(context: InstrumentationContext(trace: trace), attributes: [:])) }
    }

    /// The batch runs again on another connection, under a span of its own.
    func connectionLost() {
        span.attributes["error.type"] = "connection_lost"
        span.setStatus(SpanStatus(code: .error))
    }

    func end() { span.end() }
}
