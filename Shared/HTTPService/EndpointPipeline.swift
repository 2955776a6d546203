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

/// What happens to every request, in this order and before a handler sees it: request id and trace, signature (shape, key, route, MAC,
/// clock), body and digest, nonce, token, grant, media type. And after it: one mapper from errors to problems, one log line per refusal.
///
/// Straight code rather than a chain of middleware: the order is the contract, and each link would cost a few microseconds.
package struct EndpointPipeline: Sendable {
    private let verifier: RequestVerifier
    private let tokens: AccessTokenVerifier
    private let logger: Logger
    private let tracer: SpanTracer?
    private let metrics: any MetricsFactory
    private let mapError: @Sendable (any Error) -> Problem?
    private let now: @Sendable () -> Int64

    /// - Parameters:
    ///   - tracer: nil where no spans are made.
    ///   - mapError: the service's own errors; `nil` means unknown, answered 500 without detail.
    ///   - now: Unix microseconds.
    package init(
        verifier: RequestVerifier, tokens: AccessTokenVerifier, logger: Logger, tracer: SpanTracer? = nil,
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

    /// A router of these endpoints; whatever else is asked for is 404, or 405 where only the method is wrong.
    package func responder(of endpoints: [Endpoint]) -> RouterResponder<BasicRequestContext> {
        let router = Router()
        let unrouted = UnroutedAsProblem(endpoints: endpoints, logger: logger, instruments: RouteInstruments.unrouted(metrics))
        router.add(middleware: unrouted)
        for endpoint in endpoints {
            let instruments = RouteInstruments(endpoint, metrics)
            router.on(RouterPath(endpoint.path), method: endpoint.method) { request, context in
                await respond(to: request, context, endpoint, instruments)
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
            let authenticated = try await authenticate(request, context, endpoint, requestID, span.trace)
            answer = try await span.run { try await endpoint.handler(authenticated) }
            log(answer.problemCode, nil, answer.status.code, endpoint, requestID, span.trace)
            span.end(status: answer.status.code, code: answer.problemCode, error: nil, requestID: requestID)
        } catch {
            let problem = problem(for: error, requestID)
            answer = Answer(problem)
            log(problem.code, error, problem.status, endpoint, requestID, span.trace)
            span.end(status: problem.status, code: problem.code, error: error, requestID: requestID)
        }
        instruments.record(status: answer.status.code, since: started)
        return Response(answer, requestID: requestID)
    }

    private func authenticate(
        _ request: Request, _ context: BasicRequestContext, _ endpoint: Endpoint, _ requestID: RequestID, _ trace: TraceContext
    ) async throws -> AuthenticatedRequest {
        let microseconds = now()
        let seconds = microseconds / 1_000_000
        let signable = SignableRequest(
            method: request.method.rawValue, authority: request.head.authority ?? "", target: request.head.path ?? "/",
            headerFields: request.headers)
        let caller = try verifier.verifyHead(signable, now: seconds, isRouteOpenTo: endpoint.isOpen)
        let body = try await collect(request.body, limit: endpoint.bodyLimit)
        try body.withUnsafeReadableBytes { bytes throws(SignatureRejection) in try verifier.verifyBody(caller, body: bytes) }
        // By the time that it is now: a body may have taken its time, and the window remembers by it.
        try await verifier.admitNonce(
            caller, isRepeatable: request.headers.isRepeatable(endpoint.method), now: now() / 1_000_000)

        let token = try await tokens.authenticate(authorizationHeader: request.headers[.authorization], now: seconds)
        let grants = endpoint.grants.filter { $0.callers.contains(caller.caller) && $0.fits(token) }
        guard !grants.isEmpty else { throw Problem(.callerNotAllowed) }
        guard let grant = grants.first(where: { $0.isCovered(by: token) }) else { throw Problem(.insufficientScope) }

        let query = request.uri.query.map { String($0) }
        if let query, !query.isEmpty, !endpoint.takesQuery { throw Self.unknownParameter(query) }
        if caller.hasBody || endpoint.method != .get {
            guard Self.isJSON(request.headers[.contentType]) else { throw Problem(.unsupportedMediaType) }
        }
        return AuthenticatedRequest(
            caller: caller.caller, token: token, grant: grant, requestID: requestID, trace: trace, headers: request.headers,
            parameters: context.parameters, query: query, body: body,
            deadline: try RequestDeadline.of(request.headers[.florinDeadline], to: endpoint.method, now: microseconds))
    }

    private func collect(_ body: RequestBody, limit: Int) async throws -> ByteBuffer {
        do {
            return try await body.collect(upTo: limit)
        } catch is NIOTooManyBytesError {
            throw Problem(.bodyTooLarge)
        } catch let error as any HTTPResponseError where error.status == .contentTooLarge {
            throw Problem(.bodyTooLarge)
        } catch is CancellationError {
            throw Problem(.unavailable)
        } catch {
            // Broken off, garbled or cut by the network: nobody's fault on this side, and often nobody is left to read the answer.
            throw Problem(.malformedRequest, detail: "The body ended early or can't be read.")
        }
    }

    /// What a route does not know it must not ignore: who asks for the balance `?at=` some time must not be told today's.
    private static func unknownParameter(_ query: String) -> Problem {
        let name = query.prefix { $0 != "=" && $0 != "&" }.prefix(64)
        return Problem(RequestFault(.unknownField, pointer: "/\(name)", detail: "Is not a parameter of this request."))
    }

    private static func isJSON(_ mediaType: String?) -> Bool {
        guard let mediaType else { return false }
        if mediaType == "application/json" { return true }
        let type = mediaType.prefix { $0 != ";" && $0 != " " }
        let next = mediaType.dropFirst(type.count).first { $0 != " " }
        return type.lowercased() == "application/json" && (next == nil || next == ";")
    }

    // MARK: errors

    private func problem(for error: any Error, _ requestID: RequestID) -> Problem {
        var problem =
            switch error {
            case let problem as Problem: problem
            case let rejection as SignatureRejection: Problem(rejection)
            case let rejection as TokenRejection: Problem(rejection)
            default: mapError(error) ?? Problem(.internalError)
            }
        if problem.instance == nil { problem.instance = requestID.text }
        if problem.status == 503, problem.retryAfterSeconds == nil { problem.retryAfterSeconds = 1 }
        return problem
    }

    private func log(
        _ code: ProblemCode?, _ error: (any Error)?, _ status: Int, _ endpoint: Endpoint, _ requestID: RequestID, _ trace: TraceContext
    ) {
        let isOurFault = code == .internalError
        let level: Logger.Level = code == nil ? .debug : isOurFault ? .error : .info
        // Before anything is rendered: most requests succeed and are not logged.
        guard logger.logLevel <= level else { return }
        var metadata: Logger.Metadata = [
            "request_id": "\(requestID)", "trace_id": "\(trace.traceID)", "http.route": "\(endpoint.path)",
            "http.method": "\(endpoint.method)", "http.status": "\(status)",
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

extension Response {
    init(_ answer: Answer, requestID: RequestID?) {
        var headers = HTTPFields()
        headers.reserveCapacity(5)
        headers[.contentType] = answer.mediaType
        if let requestID { headers[.requestID] = requestID.text }
        if answer.status.code == 401 { headers[.wwwAuthenticate] = "Bearer" }
        for field in answer.extraHeaders { headers[field.name] = field.value }
        self.init(status: answer.status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: answer.body)))
    }
}
