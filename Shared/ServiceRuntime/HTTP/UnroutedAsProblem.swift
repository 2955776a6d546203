import Contracts
import HTTPTypes
import Hummingbird
import Logging

/// What no endpoint answers: a problem and a log line like every other refusal.
struct UnroutedAsProblem: RouterMiddleware {
    typealias Context = BasicRequestContext

    /// Of a path that is no route, this much is logged.
    private static let loggedPathLength = 128

    let logger: Logger
    let instruments: RouteInstruments

    func handle(
        _ request: Request, context: BasicRequestContext, next: (Request, BasicRequestContext) async throws -> Response
    ) async throws -> Response {
        let started = ContinuousClock.now
        do {
            return try await next(request, context)
        } catch let error as HTTPError where error.status == .notFound {
            return response(.notFound, for: request, since: started)
        }
    }

    func response(
        _ code: ProblemCode, extraHeaders: [HTTPField] = [], for request: Request, since started: ContinuousClock.Instant = .now
    ) -> Response {
        defer { instruments.record(status: code.status, since: started) }
        var random = SystemRandomNumberGenerator()
        let requestID = RequestID.of(header: request.headers[.requestID], using: &random)
        let trace = TraceContext.of(traceparent: request.headers[.traceparent], using: &random)
        logger.info(
            "request refused",
            metadata: [
                "request_id": "\(requestID)", "trace_id": "\(trace.traceID)", "http.path": "\(request.uri.path.prefix(Self.loggedPathLength))",
                "http.method": "\(request.method)", "http.status": "\(code.status)", "problem.code": "\(code.rawValue)",
            ])
        let answer = Response(Answer(Problem(code, instance: requestID.text), extraHeaders: extraHeaders), requestID: requestID)
        // What follows the head would be taken for the next answer.
        return request.method == .head ? answer.createHeadResponse() : answer
    }
}
