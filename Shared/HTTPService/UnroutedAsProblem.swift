import Contracts
import HTTPTypes
import Hummingbird
import Logging
import Observability

/// What no endpoint answers: a problem and a log line like every other refusal. A path that other methods have is told them (405).
struct UnroutedAsProblem: RouterMiddleware {
    typealias Context = BasicRequestContext

    /// Of a path that is no route, this much is logged.
    private static let loggedPathLength = 128

    private let routes: [Route]
    private let logger: Logger
    private let instruments: RouteInstruments

    init(endpoints: [Endpoint], logger: Logger, instruments: RouteInstruments) {
        // In this order a name stands before the parameter that would match it too.
        routes = Dictionary(grouping: endpoints, by: \.path).sorted { $0.key < $1.key }.map { path, known in
            Route(segments: path.split(separator: "/"), allowed: known.map(\.method.rawValue).sorted().joined(separator: ", "))
        }
        self.logger = logger
        self.instruments = instruments
    }

    /// A path as the router has it, and what it is open to.
    private struct Route {
        let segments: [Substring]
        /// The methods, as the Allow field lists them.
        let allowed: String

        func matches(_ path: [Substring]) -> Bool {
            segments.count == path.count && zip(segments, path).allSatisfy { $0 == $1 || $0.hasPrefix("{") }
        }
    }

    func handle(
        _ request: Request, context: BasicRequestContext, next: (Request, BasicRequestContext) async throws -> Response
    ) async throws -> Response {
        let started = ContinuousClock.now
        do {
            return try await next(request, context)
        } catch let error as HTTPError where error.status == .notFound {
            let path = request.uri.path.split(separator: "/")
            guard let route = routes.first(where: { $0.matches(path) }) else { return response(.notFound, for: request, since: started) }
            return response(
                .methodNotAllowed, extraHeaders: [HTTPField(name: .allow, value: route.allowed)], for: request, since: started)
        }
    }

    private func response(
        _ code: ProblemCode, extraHeaders: [HTTPField] = [], for request: Request, since started: ContinuousClock.Instant
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
