import HTTPTypes
import Tracing

/// The span of one try (OpenTelemetry semantic conventions, "HTTP client"); the callee's span becomes its child.
struct TrySpan: Sendable {
    private let span: any Span
    private let tracer: any Tracer

    init(of request: ServiceRequest, to client: ServiceClient, earlierTries: Int, tracer: any Tracer) {
        self.tracer = tracer
        var context = InstrumentationContext.current ?? .topLevel
        // What the caller says wins over the task's own context.
        if let traceparent = request.traceparent { tracer.extract(traceparent, into: &context, using: SingleField()) }
        let parent = context
        span = tracer.startSpan(request.method, context: parent, ofKind: .client)
        guard span.isRecording else { return }
        let path = request.target.prefix { $0 != "?" }
        var attributes: SpanAttributes = [
            "http.request.method": .string(request.method), "server.address": .string(client.address.host), "peer.service": .string(client.callee),
            // Without the query, which may hold what is nobody's business.
            "url.full": .string("\(client.address)\(path)"),
        ]
        if let port = client.address.port { attributes["server.port"] = port }
        if earlierTries > 0 { attributes["http.request.resend_count"] = earlierTries }
        span.attributes = attributes
    }

    /// Names this span as the parent of what the callee does.
    func inject(into fields: inout HTTPFields) {
        tracer.inject(span.context, into: &fields, using: FieldsInjector())
    }

    func end(_ outcome: TryOutcome) {
        defer { span.end() }
        guard span.isRecording else { return }
        switch outcome {
        case .answered(let response):
            span.attributes["http.response.status_code"] = response.status
            if response.status >= 400 { fail(String(response.status)) }
        case .unreachable: fail("unreachable")
        case .lost, .stale: fail("connection_lost")
        case .timedOut, .hurried: fail("timeout")
        case .tooLarge: fail("response_too_large")
        case .cancelled: fail("cancelled")
        }
    }

    /// No try after all: the request could not be signed.
    func end(unsignable error: any Error) {
        fail("unsignable")
        span.end()
    }

    private func fail(_ type: String) {
        span.attributes["error.type"] = type
        span.setStatus(SpanStatus(code: .error))
    }

    /// The caller's traceparent, whatever the name that the tracer asks for.
    private struct SingleField: Extractor {
        func extract(key: String, from carrier: String) -> String? { carrier }
    }

    private struct FieldsInjector: Injector {
        func inject(_ value: String, forKey key: String, into carrier: inout HTTPFields) {
            guard let name = HTTPField.Name(key) else { return }
            carrier[name] = value
        }
    }
}
