import Contracts
import HTTPTypes
import Hummingbird
import Logging
import Observability

/// Answers what no endpoint does: OPTIONS with the methods that the path has, and everything else with a problem and a log line like every
/// other refusal. Where only the method is wrong (405), the answer names those that are not.
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
            Route(path, known)
        }
        self.logger = logger
        self.instruments = instruments
    }

    /// A path as the router has it, and what it is open to.
    private struct Route {
        let segments: [Substring]
        /// Allow, and Accept-Post where something can be posted (Linked Data Platform, section 7.1).
        let fields: [HTTPField]

        init(_ path: String, _ endpoints: [Endpoint]) {
            segments = path.split(separator: "/")
            var methods = Set(endpoints.map(\.method.rawValue)).union(["OPTIONS"])
            if methods.contains("GET") { methods.insert("HEAD") }
            let posted = endpoints.first { $0.method == .post }?.content.body.mediaType
            fields =
                [HTTPField(name: .allow, value: methods.sorted().joined(separator: ", "))]
                + (posted.map { [HTTPField(name: .acceptPost, value: $0)] } ?? [])
        }

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
            guard request.method == .options else {
                return response(.methodNotAllowed, extraHeaders: route.fields, for: request, since: started)
            }
            instruments.record(status: HTTPResponse.Status.noContent.code, since: started)
            var random = SystemRandomNumberGenerator()
            let requestID = RequestID.of(header: request.headers[.requestID], using: &random)
            return Response(.noContent(extraHeaders: route.fields), requestID: requestID)
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
