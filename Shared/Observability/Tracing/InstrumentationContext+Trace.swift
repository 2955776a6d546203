package import Tracing

extension InstrumentationContext {
    private enum TraceKey: InstrumentationContextKey {
        typealias Value = TraceContext
        static let nameOverride: String? = "traceparent"
    }

    /// The span that this context speaks of; nil outside any trace.
    package var trace: TraceContext? {
        get { self[TraceKey.self] }
        set { self[TraceKey.self] = newValue }
    }

    /// A context that holds nothing but this span.
    package init(trace: TraceContext?) {
        self = .topLevel
        self.trace = trace
    }
}
