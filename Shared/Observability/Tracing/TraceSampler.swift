/// Which traces are recorded, as `OTEL_TRACES_SAMPLER` names it (OpenTelemetry specification, "General SDK configuration").
package struct TraceSampler: Sendable, Hashable {
    package enum Rule: String, Sendable, CaseIterable {
        case alwaysOn = "always_on"
        case alwaysOff = "always_off"
        case traceIDRatio = "traceidratio"
        case parentBasedAlwaysOn = "parentbased_always_on"
        case parentBasedAlwaysOff = "parentbased_always_off"
        case parentBasedTraceIDRatio = "parentbased_traceidratio"
    }

    /// Of traces that begin here; one in a hundred shows what is usual and costs next to nothing.
    package static let defaultRatio = 0.01

    private let rule: Rule
    /// A trace id whose lower half is below this is sampled; nil samples every one.
    private let limit: UInt64?

    /// - Parameter ratio: The share of traces, 0 to 1, for the rules that take one.
    package init(_ rule: Rule, ratio: Double = TraceSampler.defaultRatio) {
        precondition((0...1).contains(ratio), "a share is between none and all")
        self.rule = rule
        limit = ratio < 1 ? UInt64(ratio * 0x1p64) : nil
    }

    /// Whether the span is recorded.
    ///
    /// - Parameters:
    ///   - parent: The span that caused this one; nil where a trace begins.
    ///   - traceIDLow: The lower half of the trace id: processes that decide by it come to the same answer.
    package func isSampled(parent: TraceContext?, traceIDLow: UInt64) -> Bool {
        switch rule {
        case .alwaysOn: true
        case .alwaysOff: false
        case .traceIDRatio: isWithinRatio(traceIDLow)
        case .parentBasedAlwaysOn: parent?.isSampled ?? true
        case .parentBasedAlwaysOff: parent?.isSampled ?? false
        case .parentBasedTraceIDRatio: parent?.isSampled ?? isWithinRatio(traceIDLow)
        }
    }

    private func isWithinRatio(_ traceIDLow: UInt64) -> Bool {
        limit.map { traceIDLow < $0 } ?? true
    }
}
