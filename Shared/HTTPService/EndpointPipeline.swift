package import AccessTokens
package import Contracts
package import CoreMetrics
import HTTPTypes
package import Hummingbird
package import Logging
import Metrics
import NIOCore
package import Observability
package import RequestSigning

/// What happens to every request: request id and trace, the checks of the endpoint's access (see `EndpointChecks.swift`), the handler. And
/// after it: one mapper from errors to problems, one log line per refusal.
///
/// Straight code rather than a chain of middleware: the order of the checks is the contract, and it is to be read in one place.
package struct EndpointPipeline: Sendable {
    let verifier: RequestVerifier?
    let tokens: AccessTokenVerifier?
    private let logger: Logger
    private let tracer: SpanTracer?
    private let metrics: any MetricsFactory
    private let mapError: @Sendable (any Error) -> Problem?
    let now: @Sendable () -> Int64

    /// - Parameters:
    ///   - verifier: nil where no endpoint takes signed requests.
    ///   - tokens: nil where no endpoint takes tokens.
    ///   - tracer: nil where no spans are made.
    ///   - mapError: the service's own errors; `nil` means unknown, answered 500 without detail.
    ///   - now: Unix microseconds.
    package init(
        verifier: RequestVerifier? = nil, tokens: AccessTokenVerifier? = nil, logger: Logger, tracer: SpanTracer? = nil,
        metrics: any MetricsFactory = MetricsSystem.factory,
        now: @escaping @Sendable () -> Int64 = { WallClock.microsecondsSinceUnixEpoch() },
        mapError: @escaping @Sendable (any Error) -> Problem?
    ) {
        self.verifier = verifier
        self.tokens = tokens
        self.logger = logger
        self.tracer = tracer
        self.metrics = metrics
        self.now = now
        self.mapError = mapError
    }

    /// A router of these endpoints. HEAD is answered wherever GET is, OPTIONS everywhere; whatever else is asked for is 404, or 405 where
    /// only the method is wrong.
    package func responder(of endpoints: [Endpoint]) -> RouterResponder<BasicRequestContext> {
        let router = Router()
        let unrouted = UnroutedAsProblem(endpoints: endpoints, logger: logger, instruments: RouteInstruments.unrouted(metrics))
        router.add(middleware: unrouted)
        for endpoint in endpoints {
            precondition(endpoint.needs == .nothing || verifier != nil, "\(endpoint.path) needs a verifier of signatures")
            precondition(endpoint.needs != .signatureAndToken || tokens != nil, "\(endpoint.path) needs a verifier of tokens")
            let instruments = RouteInstruments(endpoint, metrics)
            router.on(RouterPath(endpoint.path), method: endpoint.method) { request, context in
                await respond(to: request, context, endpoint, instruments)
            }
            guard endpoint.method == .get else { continue }
            router.on(RouterPath(endpoint.path), method: .head) { request, context in
                try await respond(to: request, context, endpoint, instruments).withoutBody()
            }
        }
        return router.buildResponder()
    }

    private func respond(
        to request: Request, _ context: BasicRequestContext, _ endpoint: Endpoint, _ instruments: RouteInstruments
    ) async -> Response {
        let started = ContinuousClock.now
        var random = SystemRandomNumberGenerator()
        let requestID = RequestID.of(header: request.headers[.requestID], using: &random)
        let span = RequestSpan(of: request, to: endpoint, tracer: tracer, using: &random)
        let answer: Answer
        do {
            let arrival = Arrival(requestID: requestID, span: span, microseconds: now())
            answer = try await endpoint.door(request, context, arrival, self)
            log(answer.problemCode, nil, answer.status.code, request, endpoint, requestID, span.trace)
            span.end(status: answer.status.code, code: answer.problemCode, error: nil, requestID: requestID)
        } catch {
            let problem = problem(for: error, requestID)
            answer = refusal(problem, error, request, endpoint)
            log(problem.code, error, answer.status.code, request, endpoint, requestID, span.trace)
            span.end(status: answer.status.code, code: problem.code, error: error, requestID: requestID)
        }
        instruments.record(status: answer.status.code, since: started)
        return Response(answer, requestID: requestID)
    }

    // MARK: errors

    private func problem(for error: any Error, _ requestID: RequestID) -> Problem {
        var problem =
            switch error {
            case let problem as Problem: problem
            case let rejection as SignatureRejection: Problem(rejection)
            case let rejection as TokenRejection: Problem(rejection)
            case is RequiredAuthentication: Problem(.insufficientUserAuthentication)
            default: mapError(error) ?? Problem(.internalError)
            }
        if problem.instance == nil { problem.instance = requestID.text }
        if problem.status == 503, problem.retryAfterSeconds == nil { problem.retryAfterSeconds = 1 }
        return problem
    }

    /// The refusal as the endpoint shows it, with what tells the client what to do about it.
    private func refusal(_ problem: Problem, _ error: any Error, _ request: Request, _ endpoint: Endpoint) -> Answer {
        var answer = endpoint.refusal(problem, request.headers)
        // Shown as something else, a redirect to the sign-in say, it is no refusal any longer.
        guard answer.status.code == problem.status else { return answer }
        if let seconds = problem.retryAfterSeconds, !answer.extraHeaders.contains(where: { $0.name == .retryAfter }) {
            answer.extraHeaders.append(HTTPField(name: .retryAfter, value: String(seconds)))
        }
        answer.extraHeaders += RefusalFields.of(problem, error, mediaType: endpoint.content.body.mediaType)
        return answer
    }

    private func log(
        _ code: ProblemCode?, _ error: (any Error)?, _ status: Int, _ request: Request, _ endpoint: Endpoint, _ requestID: RequestID,
        _ trace: TraceContext
    ) {
        let isOurFault = code == .internalError
        let level: Logger.Level = code == nil ? .debug : isOurFault ? .error : .info
        // Before anything is rendered: most requests succeed and are not logged.
        guard logger.logLevel <= level else { return }
        var metadata: Logger.Metadata = [
            "request_id": "\(requestID)", "trace_id": "\(trace.traceID)", "http.route": "\(endpoint.path)",
            "http.method": "\(request.method)", "http.status": "\(status)",
        ]
        if let code { metadata["problem.code"] = "\(code.rawValue)" }
        // Rejections describe themselves safely; of an unknown error only its type is certain to hold no secret.
        if let rejection = error as? SignatureRejection { metadata["signature.rejection"] = "\(rejection)" }
        if let rejection = error as? TokenRejection { metadata["token.rejection"] = "\(rejection)" }
        if isOurFault, let error { metadata["error.type"] = "\(type(of: error))" }
        logger.log(level: level, code == nil ? "request answered" : "request refused", metadata: metadata)
    }
}

extension Problem {
    init(_ rejection: SignatureRejection) {
        self.init(ProblemCode(rawValue: rejection.code) ?? .signatureInvalid)
    }

    init(_ rejection: TokenRejection) {
        self.init(ProblemCode(rawValue: rejection.code) ?? .tokenInvalid)
    }
}
