import Contracts
import HTTPTypes
import Hummingbird
import Observability
import Tracing

/// The trace of one request, and its span where it is sampled (OpenTelemetry semantic conventions, "HTTP server").
struct RequestSpan: Sendable {
    /// Of a path, this much is recorded; the rest would be somebody's mistake.
    private static let recordedPathLength = 256

    /// The context of the request's own span: what it causes is a child of this, recorded here or not.
    let trace: TraceContext
    private let span: RecordedSpan?

    /// - Parameter tracer: Nil where no spans are made: the caller's decision is then passed on as it came.
    init(of request: Request, to endpoint: Endpoint, tracer: SpanTracer?, using random: inout some RandomNumberGenerator) {
        let parent = request.headers[.traceparent].flatMap(TraceContext.init(traceparent:))
        guard let tracer else {
            trace = parent?.child(using: &random) ?? TraceContext(isSampled: false, using: &random)
            span = nil
            return
        }
        trace = tracer.context(childOf: parent, using: &random)
        // Most requests end here: without memory, clock or lock.
        guard trace.isSampled else {
            span = nil
            return
        }
        let span = tracer.span("\(request.method.rawValue) \(endpoint.path)", .server, as: trace, childOf: parent)
        span.attributes = [
            "http.request.method": .string(request.method.rawValue), "http.route": .string(endpoint.path),
            // Without the query, which only a few routes take.
            "url.path": .string(String(request.uri.path.prefix(Self.recordedPathLength))), "url.scheme": "http",
        ]
        self.span = span
    }

    /// Runs a handler within the span, so that what it calls finds its parent; unsampled it just runs.
    func run<Value: Sendable>(_ handler: () async throws -> Value) async throws -> Value {
        guard let span else { return try await handler() }
        return try await InstrumentationContext.withValue(span.context) { try await handler() }
    }

    /// - Parameter error: What was thrown, if anything was.
    func end(status: Int, code: ProblemCode?, error: (any Error)?, requestID: RequestID) {
        guard let span else { return }
        span.updateAttributes { attributes in
            attributes["http.response.status_code"] = status
            attributes["florin.request_id"] = requestID.text
            if let code { attributes["florin.problem_code"] = code.rawValue }
            // A refusal is the caller's error and no failure of this span.
            guard status >= 500 else { return }
            let isUnknown = code == nil || code == .internalError
            attributes["error.type"] = isUnknown ? error.map { String(describing: type(of: $0)) } ?? String(status) : code?.rawValue
        }
        if status >= 500 {
            if let error { span.recordError(error) }
            span.setStatus(SpanStatus(code: .error))
        }
        span.end()
    }
}
