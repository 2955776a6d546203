package import Contracts
package import HTTPTypes
import Hummingbird

/// One route of a service: where it is, who may come, what body it takes, and the handler.
///
/// What the handler is given follows from the access: an ``AuthenticatedRequest`` has a token, a ``SignedRequest`` has none.
package struct Endpoint: Sendable {
    package typealias Handler<Identity: Sendable> = @Sendable (EndpointRequest<Identity>) async throws -> Answer
    package typealias RefusalRenderer = @Sendable (Problem) -> Answer
    /// The checks of the endpoint's access and, once they have passed, its handler.
    typealias Door = @Sendable (Request, BasicRequestContext, Arrival, EndpointPipeline) async throws -> Answer

    /// 64 KiB, the limit of every body but a batch's.
    package static let defaultBodyLimit = 65_536

    package let method: HTTPRequest.Method
    /// With parameters in braces: `/v1/wallets/{id}`. The same spelling as in the OpenAPI document.
    package let path: String
    let content: ContentRule
    /// Also given the request's header fields.
    private(set) var refusal: @Sendable (Problem, HTTPFields) -> Answer
    let door: Door
    /// What the pipeline must have for the checks.
    let needs: Needs

    enum Needs: Sendable {
        case nothing, signature, signatureAndToken
    }

    private init(
        _ method: HTTPRequest.Method, _ path: String, _ content: ContentRule, _ refusal: @escaping RefusalRenderer, needs: Needs, door: @escaping Door
    ) {
        // The digest of a signed body is judged before anything else runs, so it is read whole.
        precondition(needs == .nothing || content.body != .stream, "\(path): a signed body is not a stream")
        self.method = method
        self.path = path
        self.content = content
        self.refusal = { problem, _ in refusal(problem) }
        self.needs = needs
        self.door = door
    }

    /// The same endpoint with refusals that depend on the request as well, as a page does on the language that the browser asks for.
    package func showingRefusals(_ render: @escaping @Sendable (Problem, _ requestHeaders: HTTPFields) -> Answer) -> Endpoint {
        var endpoint = self
        endpoint.refusal = render
        return endpoint
    }
}

/// One initialiser per kind of access. They share:
/// - `body`: What body is taken; see ``RequestBodyKind``.
/// - `bodyLimit`: The most bytes of it.
/// - `takesQuery`: Whether the handler reads the query; otherwise a request with one is refused.
/// - `keepsKey`: Whether it does a request with an `Idempotency-Key` once, by ``EndpointRequest/idempotencyKey(principal:)``. Elsewhere what
///   changes something is refused with one, since its caller believes that it may be repeated.
/// - `refusal`: How a refusal is shown, where that is not as a problem: as a page, or as an OAuth error.
///
/// Each hands on what it was given without generics or boxes where a service's own types are not involved: for a signed request with a
/// token, the endpoint costs one call of a closure.
extension Endpoint {
    package init(
        _ method: HTTPRequest.Method, _ path: String, access: PublicAccess, body: RequestBodyKind = .none,
        bodyLimit: Int = Endpoint.defaultBodyLimit, takesQuery: Bool = false, refusal: @escaping RefusalRenderer = { Answer($0) },
        handler: @escaping Handler<Anybody>
    ) {
        let content = ContentRule(body: body, limit: bodyLimit, takesQuery: takesQuery, keepsKey: false)
        self.init(method, path, content, refusal, needs: .nothing) { request, context, arrival, pipeline in
            let admitted = try await pipeline.admit(request, context, arrival, access, content)
            return try await arrival.span.run { try await handler(admitted) }
        }
    }

    package init<Client>(
        _ method: HTTPRequest.Method, _ path: String, access: ClientAccess<Client>, body: RequestBodyKind = .form,
        bodyLimit: Int = Endpoint.defaultBodyLimit, takesQuery: Bool = false, refusal: @escaping RefusalRenderer = { Answer($0) },
        handler: @escaping Handler<Client>
    ) {
        let content = ContentRule(body: body, limit: bodyLimit, takesQuery: takesQuery, keepsKey: false)
        self.init(method, path, content, refusal, needs: .nothing) { request, context, arrival, pipeline in
            let admitted = try await pipeline.admit(request, context, arrival, access, content)
            return try await arrival.span.run { try await handler(admitted) }
        }
    }

    package init(
        _ method: HTTPRequest.Method, _ path: String, access: SignedAccess, body: RequestBodyKind = .none,
        bodyLimit: Int = Endpoint.defaultBodyLimit, takesQuery: Bool = false, keepsKey: Bool = false,
        refusal: @escaping RefusalRenderer = { Answer($0) },
        handler: @escaping Handler<SigningService>
    ) {
        let content = ContentRule(body: body, limit: bodyLimit, takesQuery: takesQuery, keepsKey: keepsKey)
        self.init(method, path, content, refusal, needs: .signature) { request, context, arrival, pipeline in
            let admitted = try await pipeline.admit(request, context, arrival, access, content)
            return try await arrival.span.run { try await handler(admitted) }
        }
    }

    package init(
        _ method: HTTPRequest.Method, _ path: String, access: TokenAccess, body: RequestBodyKind = .none,
        bodyLimit: Int = Endpoint.defaultBodyLimit, takesQuery: Bool = false, keepsKey: Bool = false,
        refusal: @escaping RefusalRenderer = { Answer($0) },
        handler: @escaping Handler<TokenBearer>
    ) {
        let content = ContentRule(body: body, limit: bodyLimit, takesQuery: takesQuery, keepsKey: keepsKey)
        self.init(method, path, content, refusal, needs: .signatureAndToken) { request, context, arrival, pipeline in
            let admitted = try await pipeline.admit(request, context, arrival, access, content)
            return try await arrival.span.run { try await handler(admitted) }
        }
    }

    package init<Session>(
        _ method: HTTPRequest.Method, _ path: String, access: SessionAccess<Session>, body: RequestBodyKind = .none,
        bodyLimit: Int = Endpoint.defaultBodyLimit, takesQuery: Bool = false, refusal: @escaping RefusalRenderer = { Answer($0) },
        handler: @escaping Handler<Session>
    ) {
        let content = ContentRule(body: body, limit: bodyLimit, takesQuery: takesQuery, keepsKey: false)
        self.init(method, path, content, refusal, needs: .nothing) { request, context, arrival, pipeline in
            let admitted = try await pipeline.admit(request, context, arrival, access, content)
            return try await arrival.span.run { try await handler(admitted) }
        }
    }
}
