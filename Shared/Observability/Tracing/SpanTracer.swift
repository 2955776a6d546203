package import Tracing

/// Makes the process's spans: decides which are sampled, and lets those that are end in the queue of the exporter.
///
/// A hot path asks ``context(childOf:using:)`` first, which allocates nothing, and makes a span only where that is sampled.
package final class SpanTracer: Tracer {
    package typealias Span = RecordedSpan

    /// The field that W3C Trace Context, section 3.2, carries a context in.
    private static let field = "traceparent"

    private let sampler: TraceSampler
    private let queue: SpanQueue

    package init(sampler: TraceSampler, queue: SpanQueue) {
        self.sampler = sampler
        self.queue = queue
    }

    /// The context of a new span, sampled or not.
    ///
    /// - Parameter parent: The span that causes it; nil begins a trace.
    package func context(childOf parent: TraceContext?, using generator: inout some RandomNumberGenerator) -> TraceContext {
        guard let parent else {
            let root = TraceContext(isSampled: false, using: &generator)
            return root.sampled(sampler.isSampled(parent: nil, traceIDLow: root.traceIDLow))
        }
        return parent.child(using: &generator).sampled(sampler.isSampled(parent: parent, traceIDLow: parent.traceIDLow))
    }

    /// Starts the span that a context was made for. One that is not sampled records nothing.
    ///
    /// - Parameter startedAt: Nanoseconds since the Unix epoch.
    package func span(
        _ name: String, _ kind: SpanKind, as trace: TraceContext, childOf parent: TraceContext?,
        within context: InstrumentationContext = .topLevel, startedAt: UInt64 = DefaultTracerClock.now.nanosecondsSinceEpoch
    ) -> RecordedSpan {
        var context = context
        context.trace = trace
        guard trace.isSampled else { return RecordedSpan(context: context, recording: nil) }
        let data = SpanData(trace: trace, parentSpanID: parent?.spanID ?? 0, name: name, kind: kind, startedAt: startedAt)
        return RecordedSpan(context: context, recording: SpanRecording(data, queue: queue))
    }

    package func startSpan<Instant: TracerInstant>(
        _ operationName: String, context: @autoclosure () -> InstrumentationContext, ofKind kind: SpanKind,
        at instant: @autoclosure () -> Instant, function: String, file fileID: String, line: UInt
    ) -> RecordedSpan {
        var random = SystemRandomNumberGenerator()
        let context = context()
        let trace = self.context(childOf: context.trace, using: &random)
        return span(operationName, kind, as: trace, childOf: context.trace, within: context, startedAt: instant().nanosecondsSinceEpoch)
    }

    package func forceFlush() {}

    package func extract<Carrier, Extract: Extractor>(
        _ carrier: Carrier, into context: inout InstrumentationContext, using extractor: Extract
    ) where Extract.Carrier == Carrier {
        context.trace = extractor.extract(key: Self.field, from: carrier).flatMap(TraceContext.init(traceparent:))
    }

    package func inject<Carrier, Inject: Injector>(
        _ context: InstrumentationContext, into carrier: inout Carrier, using injector: Inject
    ) where Inject.Carrier == Carrier {
        guard let trace = context.trace else { return }
        injector.inject(trace.traceparent, forKey: Self.field, into: &carrier)
    }
}
