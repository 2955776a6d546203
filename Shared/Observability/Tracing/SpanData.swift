package import Tracing

/// What is known of a span, within the bounds that OpenTelemetry sets by default ("Span Limits" of its specification).
package struct SpanData: Sendable {
    package static let maximumAttributes = 128
    package static let maximumEvents = 128
    package static let maximumLinks = 128
    /// Longer texts are cut; ours are names and paths.
    package static let maximumTextBytes = 1_024

    package let trace: TraceContext
    /// Zero, which is no id, where the trace begins.
    package let parentSpanID: UInt64
    package var name: String
    package let kind: SpanKind
    /// Nanoseconds since the Unix epoch.
    package let startedAt: UInt64
    /// Nanoseconds since the Unix epoch, never before the start: the wall clock may be set back meanwhile.
    package var endedAt: UInt64
    package var attributes: SpanAttributes = [:]
    package var status: SpanStatus?
    package private(set) var events: [SpanEvent] = []
    package private(set) var links: [SpanLink] = []
    package private(set) var droppedEvents = 0
    package private(set) var droppedLinks = 0

    init(trace: TraceContext, parentSpanID: UInt64, name: String, kind: SpanKind, startedAt: UInt64) {
        self.trace = trace
        self.parentSpanID = parentSpanID
        self.name = name
        self.kind = kind
        self.startedAt = startedAt
        endedAt = startedAt
    }

    mutating func append(_ event: SpanEvent) {
        if events.count < Self.maximumEvents { events.append(event) } else { droppedEvents += 1 }
    }

    mutating func append(_ link: SpanLink) {
        if links.count < Self.maximumLinks { links.append(link) } else { droppedLinks += 1 }
    }
}
