import Observability
import ServiceRuntime
import Testing
import Tracing

@Suite("Spans")
struct SpanTracerTests {
    private static let parent = TraceContext(traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")!
    private let fixture = SpanFixture(sampler: TraceSampler(.parentBasedAlwaysOff))

    private struct Dictionary: Extractor, Injector {
        func extract(key: String, from carrier: [String: String]) -> String? { carrier[key] }
        func inject(_ value: String, forKey key: String, into carrier: inout [String: String]) { carrier[key] = value }
    }

    @Test("a span has the trace of its parent and an id of its own, which its children name as theirs")
    func family() throws {
        let server = fixture.tracer.startSpan("server", context: InstrumentationContext(trace: Self.parent), ofKind: .server)
        let child = fixture.tracer.startSpan("child", context: server.context)
        child.end()
        server.end()
        let spans = fixture.all()
        #expect(spans.map(\.name) == ["child", "server"])
        #expect(spans.allSatisfy { $0.trace.traceID == "4bf92f3577b34da6a3ce929d0e0e4736" })
        #expect(spans[1].parentSpanID == Self.parent.spanID)
        #expect(spans[0].parentSpanID == spans[1].trace.spanID)
        #expect(Set(spans.map(\.trace.spanID) + [Self.parent.spanID]).count == 3)
        #expect(spans[0].endedAt >= spans[0].startedAt)
    }

    @Test("an unsampled span records nothing and still carries the trace on")
    func unsampled() throws {
        let parent = TraceContext(traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00")!
        let span = fixture.tracer.startSpan("server", context: InstrumentationContext(trace: parent))
        #expect(!span.isRecording)
        span.attributes["a"] = 1
        span.end()
        #expect(fixture.all().isEmpty)
        let trace = try #require(span.context.trace)
        #expect(trace.traceID == parent.traceID && trace.spanID != parent.spanID && !trace.isSampled)
    }

    @Test("the context crosses processes as traceparent, both ways")
    func propagation() throws {
        var context = InstrumentationContext.topLevel
        fixture.tracer.extract(["traceparent": Self.parent.traceparent], into: &context, using: Dictionary())
        #expect(context.trace == Self.parent)
        var carrier: [String: String] = [:]
        fixture.tracer.inject(context, into: &carrier, using: Dictionary())
        #expect(carrier == ["traceparent": Self.parent.traceparent])
        fixture.tracer.extract(["traceparent": "00-0-0-00"], into: &context, using: Dictionary())
        #expect(context.trace == nil)
    }

    @Test("withSpan makes the span the parent of what runs in it, and an error that is thrown marks it")
    func scope() throws {
        let tracer = fixture.tracer
        #expect(throws: SpanFixture.Failure.self) {
            try InstrumentationContext.withValue(InstrumentationContext(trace: Self.parent)) {
                try tracer.withSpan("outer") { _ in
                    tracer.withSpan("inner") { _ in }
                    throw SpanFixture.Failure()
                }
            }
        }
        let spans = fixture.all()
        try #require(spans.map(\.name) == ["inner", "outer"])
        #expect(spans[0].parentSpanID == spans[1].trace.spanID)
        #expect(spans[1].events.map(\.name) == ["exception"])
        #expect(!"\(spans[1])".contains("hunter2"))
    }

    @Test("a span ends once, and hears nothing afterwards")
    func end() {
        let span = fixture.tracer.startSpan("server", context: InstrumentationContext(trace: Self.parent))
        #expect(span.isRecording)
        span.end()
        span.attributes["late"] = true
        span.end()
        #expect(!span.isRecording)
        let spans = fixture.all()
        #expect(spans.count == 1 && spans[0].attributes.isEmpty)
    }

    @Test("links and events are bounded, and what is left out is counted")
    func bounds() throws {
        let span = fixture.tracer.startSpan("batch", context: InstrumentationContext(trace: Self.parent))
        for index in 0..<SpanData.maximumLinks + 5 {
            span.addLink(SpanLink(context: InstrumentationContext(trace: Self.parent), attributes: [:]))
            span.addEvent(SpanEvent(name: "\(index)"))
        }
        span.end()
        let data = try #require(fixture.all().first)
        #expect(data.links.count == SpanData.maximumLinks && data.droppedLinks == 5)
        #expect(data.events.count == SpanData.maximumEvents && data.droppedEvents == 5)
    }

    @Test("a full queue drops the new span and counts it; the old ones stay")
    func fullQueue() {
        let fixture = SpanFixture(capacity: 3)
        fixture.end(5)
        #expect(fixture.dropped(.queueFull) == 2)
        #expect(fixture.all().map(\.name) == ["span 0", "span 1", "span 2"])
    }
}
