import AccessTokens
import Contracts
import HTTPTypes
import Hummingbird
import NIOCore
import Observability
import RequestSigning

/// What is known of a request before anything of it is judged.
struct Arrival: Sendable {
    let requestID: RequestID
    let span: RequestSpan
    /// Unix microseconds.
    let microseconds: Int64

    var seconds: Int64 { microseconds / 1_000_000 }
}

/// The checks, in their order, one function per kind of access. The order is the contract: who it is comes before what they want, and
/// nothing of a body is interpreted before it is known whose it is. The first check that fails decides the answer.
extension EndpointPipeline {
    // MARK: everybody

    /// Origin, where one is asked for; query, media type, body.
    func admit(
        _ request: Request, _ context: BasicRequestContext, _ arrival: Arrival, _ access: PublicAccess, _ content: ContentRule
    ) async throws -> PublicRequest {
        if let origin = access.origin { try BrowserOrigin.check(request.headers, request.method, isFrom: origin) }
        let query = try content.query(of: request)
        let body = try await read(request, content)
        return admitted(Anybody(), request, context, arrival, query, body)
    }

    // MARK: clients

    /// Query, media type, body, credentials: they may stand in the form.
    func admit<Client>(
        _ request: Request, _ context: BasicRequestContext, _ arrival: Arrival, _ access: ClientAccess<Client>, _ content: ContentRule
    ) async throws -> EndpointRequest<Client> {
        let query = try content.query(of: request)
        let body = try await read(request, content)
        let form = content.body == .form ? try Form(body.buffer.readableBytesView) : nil
        guard let client = try await access.verify(try ClientCredentials(request.headers, form)) else { throw Problem(.clientInvalid) }
        return admitted(client, request, context, arrival, query, body)
    }

    // MARK: services

    /// Signature, body, digest, nonce; query, media type.
    func admit(
        _ request: Request, _ context: BasicRequestContext, _ arrival: Arrival, _ access: SignedAccess, _ content: ContentRule
    ) async throws -> SignedRequest {
        let (caller, body) = try await verify(request, arrival, content) { access.callers.contains($0) }
        let query = try content.query(of: request)
        try content.checkType(request.headers)
        try content.checkAbsence(body)
        let deadline = try RequestDeadline.of(request.headers[.florinDeadline], to: request.method, now: arrival.microseconds)
        return EndpointRequest(
            identity: SigningService(caller: caller.caller), requestID: arrival.requestID, trace: arrival.span.trace, headers: request.headers,
            parameters: context.parameters, query: query, body: body, deadline: deadline)
    }

    /// Signature, body, digest, nonce; token, grant, authentication; query, media type.
    func admit(
        _ request: Request, _ context: BasicRequestContext, _ arrival: Arrival, _ access: TokenAccess, _ content: ContentRule
    ) async throws -> AuthenticatedRequest {
        let (caller, body) = try await verify(request, arrival, content, isRouteOpenTo: access.isOpen)
        guard let tokens else { throw Problem(.internalError) }
        let token = try await tokens.authenticate(authorizationHeader: request.headers[.authorization], now: arrival.seconds)
        let grant = try access.grant(to: caller.caller, with: token)
        if let authentication = access.authentication, !authentication.isMet(by: token, now: arrival.seconds) { throw authentication }
        let query = try content.query(of: request)
        try content.checkType(request.headers)
        try content.checkAbsence(body)
        let deadline = try RequestDeadline.of(request.headers[.florinDeadline], to: request.method, now: arrival.microseconds)
        return EndpointRequest(
            identity: TokenBearer(caller: caller.caller, token: token, grant: grant), requestID: arrival.requestID, trace: arrival.span.trace,
            headers: request.headers, parameters: context.parameters, query: query, body: body, deadline: deadline)
    }

    /// Shape, key, route, MAC and clock by the head alone; then the body, its digest, and last the nonce, so that a request which is
    /// refused for anything before leaves the replay window as it was.
    private func verify(
        _ request: Request, _ arrival: Arrival, _ content: ContentRule, isRouteOpenTo: (_ caller: String) -> Bool
    ) async throws -> (VerifiedCaller, ByteBuffer) {
        guard let verifier else { throw Problem(.internalError) }
        let signable = SignableRequest(
            method: request.method.rawValue, authority: request.head.authority ?? "", target: request.head.path ?? "/",
            headerFields: request.headers)
        let caller = try verifier.verifyHead(signable, now: arrival.seconds, isRouteOpenTo: isRouteOpenTo)
        let body = try await request.read(upTo: content.limit)
        try body.withUnsafeReadableBytes { bytes throws(SignatureRejection) in try verifier.verifyBody(caller, body: bytes) }
        // By the time that it is now: a body may have taken its time, and the window remembers by it.
        try await verifier.admitNonce(caller, isRepeatable: content.isRepeatable(request), now: now() / 1_000_000)
        try content.checkKey(request)
        return (caller, body)
    }

    // MARK: browsers

    /// Origin of what changes something, session; query, media type, body.
    func admit<Session>(
        _ request: Request, _ context: BasicRequestContext, _ arrival: Arrival, _ access: SessionAccess<Session>, _ content: ContentRule
    ) async throws -> EndpointRequest<Session> {
        try BrowserOrigin.check(request.headers, request.method, isFrom: access.origin)
        guard let cookie = try BrowserOrigin.cookie(access.cookie, in: request.headers), let session = try await access.find(cookie) else {
            throw Problem(.sessionMissing)
        }
        let query = try content.query(of: request)
        let body = try await read(request, content)
        return admitted(session, request, context, arrival, query, body)
    }

    // MARK: what unsigned requests share

    /// The body of an unsigned request, whose type is checked first; a stream is left where it is.
    private func read(_ request: Request, _ content: ContentRule) async throws -> UnsignedBody {
        try content.checkType(request.headers)
        guard content.body != .stream else {
            try request.checkLength(upTo: content.limit)
            return UnsignedBody(buffer: ByteBuffer(), stream: BodyStream(source: request.body, limit: content.limit))
        }
        let buffer = try await request.read(upTo: content.limit)
        try content.checkAbsence(buffer)
        return UnsignedBody(buffer: buffer, stream: nil)
    }

    private struct UnsignedBody {
        let buffer: ByteBuffer
        let stream: BodyStream?
    }

    /// Nobody has vouched for the deadline of an unsigned request, so the service's own counts.
    private func admitted<Identity>(
        _ identity: Identity, _ request: Request, _ context: BasicRequestContext, _ arrival: Arrival, _ query: String?, _ body: UnsignedBody
    ) -> EndpointRequest<Identity> {
        EndpointRequest(
            identity: identity, requestID: arrival.requestID, trace: arrival.span.trace, headers: request.headers,
            parameters: context.parameters, query: query, body: body.buffer, unread: body.stream,
            deadline: RequestDeadline.usual(for: request.method))
    }
}

extension ContentRule {
    /// - Throws: ``Problem`` `unknown_field` for a query that nobody reads.
    fileprivate func query(of request: Request) throws(Problem) -> String? {
        let query = request.uri.query
        try checkQuery(query)
        return query
    }
}
