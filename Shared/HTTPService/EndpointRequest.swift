package import AccessTokens
package import Contracts
package import HTTPTypes
package import Hummingbird
package import NIOCore
package import Observability

package typealias PublicRequest = EndpointRequest<Anybody>
package typealias SignedRequest = EndpointRequest<SigningService>
package typealias AuthenticatedRequest = EndpointRequest<TokenBearer>

/// A request that has passed the checks of its endpoint's access; nothing else of it has been looked at.
package struct EndpointRequest<Identity: Sendable>: Sendable, CustomStringConvertible, CustomReflectable {
    package let requestID: RequestID
    package let trace: TraceContext
    package let headers: HTTPFields
    package let parameters: Parameters
    package let query: String?
    /// All of the body; empty where it is a stream.
    package let body: ByteBuffer
    private let unread: BodyStream?
    /// When the caller gives up: nothing is waited for any longer, and the answer is due.
    package let deadline: ContinuousClock.Instant
    /// Whom it comes from: what the access found out.
    package let identity: Identity

    package init(
        identity: Identity, requestID: RequestID, trace: TraceContext, headers: HTTPFields, parameters: Parameters = Parameters(),
        query: String? = nil, body: ByteBuffer = ByteBuffer(), unread: BodyStream? = nil, deadline: ContinuousClock.Instant
    ) {
        self.identity = identity
        self.requestID = requestID
        self.trace = trace
        self.headers = headers
        self.parameters = parameters
        self.query = query
        self.body = body
        self.unread = unread
        self.deadline = deadline
    }

    /// Neither headers nor body nor identity: they hold tokens, cookies and passwords.
    package var description: String { "request \(requestID.text)" }
    package var customMirror: Mirror { Mirror(self, children: ["requestID": requestID.text]) }

    /// The body, read strictly.
    ///
    /// - Throws: ``Problem`` for what it can't be.
    package func decode<Body: WireDecodable>(_ type: Body.Type) throws -> Body {
        do throws(RequestFault) {
            return try Body(wireBytes: body.readableBytesView)
        } catch {
            throw Problem(error)
        }
    }

    /// The body as a form.
    ///
    /// - Throws: ``Problem`` for what it can't be.
    package func form() throws -> Form { try Form(body.readableBytesView) }

    /// The body as it comes in.
    package var stream: BodyStream { unread ?? BodyStream(source: RequestBody(buffer: body), limit: body.readableBytes) }

    /// A cookie's value; nil without one.
    ///
    /// - Throws: ``Problem`` `malformed_request` for two of the name.
    package func cookie(_ name: String) throws(Problem) -> String? { try BrowserOrigin.cookie(name, in: headers) }

    /// A path parameter as an id; one of another kind or spelling names nothing.
    package func identifier<Kind: IdentifierKind>(_ name: String = "id", as: Kind.Type = Kind.self) throws -> PrefixedID<Kind> {
        guard let text = parameters.get(name), let id = PrefixedID<Kind>(text) else { throw Problem(.notFound) }
        return id
    }
}

extension SignedRequest {
    /// The calling service.
    package var caller: String { identity.caller }
}

extension AuthenticatedRequest {
    /// The calling service.
    package var caller: String { identity.caller }
    package var token: AccessToken { identity.token }
    /// The grant by which it was let in.
    package var grant: RouteGrant { identity.grant }
}
