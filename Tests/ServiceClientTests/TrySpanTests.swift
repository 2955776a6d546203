import Metrics
import NIOHTTP1
import Observability
import ServiceClient
import ServiceRuntime
import TestSupport
import Testing
import Tracing

@Suite("Spans of calls")
struct TrySpanTests {
    private let queue: SpanQueue
    private let tracer: SpanTracer
    private let fixture: ClientFixture

    init() throws {
        queue = SpanQueue(counters: SpanCounters(factory: PrometheusRegistry()))
        tracer = SpanTracer(sampler: TraceSampler(.parentBasedAlwaysOff), queue: queue)
        fixture = try ClientFixture()
    }

    /// The spans of one call, and what the callee got of it.
    private func send(_ request: ServiceRequest, _ script: [ScriptedServer.Step]) async throws -> ([SpanData], [ScriptedServer.Received]) {
        let connections = ServiceConnections(connectTimeout: .seconds(10))
        var received: [ScriptedServer.Received] = []
        do {
            try await ScriptedServer.running(script) { server, port in
                _ = try? await fixture.client(port: port, connections: connections, tracer: tracer).send(request)
                received = server.received
            }
        } catch {
            await connections.close()
            throw error
        }
        await connections.close()
        return (queue.take(atMost: .max), received)
    }

    @Test("every try is a span below the caller's, the parent of what the callee does, and covered by the signature")
    func tries() async throws {
        let (spans, received) = try await send(ClientFixture.post(), [.answer(503), .answer(201)])
        try #require(spans.count == 2 && received.count == 2)
        for (span, request) in zip(spans, received) {
            #expect(span.kind == .client && span.name == "POST")
            #expect(span.trace.traceID == "4bf92f3577b34da6a3ce929d0e0e4736" && span.parentSpanID == 0x00F0_67AA_0BA9_02B7)
            #expect(request.headers["traceparent"] == [span.trace.traceparent])
            #expect(span.attributes.get("peer.service") == "wallet-ledger" && span.attributes.get("server.address") == "127.0.0.1")
            #expect(!"\(span)".contains("a.b.c") && !"\(span)".contains("dry=1"))
            try await fixture.check(request)
        }
        #expect(spans[0].attributes.get("http.response.status_code") == 503 && spans[0].attributes.get("error.type") == "503")
        #expect(spans[0].status == SpanStatus(code: .error) && spans[1].status == nil)
        #expect(spans[0].attributes.get("http.request.resend_count") == nil && spans[1].attributes.get("http.request.resend_count") == 1)
    }

    @Test("a call without an answer is a failed span that says why")
    func lost() async throws {
        let (spans, _) = try await send(ClientFixture.post(), [.drop])
        #expect(spans.map(\.status) == [SpanStatus(code: .error)])
        #expect(spans.first?.attributes.get("error.type") == "connection_lost")
    }

    @Test("an unsampled trace goes on without a span")
    func unsampled() async throws {
        var request = ClientFixture.post()
        request.traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
        let (spans, received) = try await send(request, [.answer(201)])
        #expect(spans.isEmpty)
        let traceparent = try #require(received.first?.headers["traceparent"].first)
        #expect(traceparent.hasPrefix("00-4bf92f3577b34da6a3ce929d0e0e4736-") && traceparent.hasSuffix("-00"))
        try await fixture.check(received[0])
    }
}
