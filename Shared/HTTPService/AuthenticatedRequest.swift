package import AccessTokens
package import Contracts
package import HTTPTypes
package import Hummingbird
package import NIOCore
package import Observability

/// A request whose signature, digest and token have been checked; nothing else of it has been looked at.
package struct AuthenticatedRequest: Sendable {
    package let caller: String
    package let token: AccessToken
    /// The grant by which it was let in.
    package let grant: RouteGrant
    package let requestID: RequestID
    package let trace: TraceContext
    package let headers: HTTPFields
    package let parameters: Parameters
    package let query: String?
    package let body: ByteBuffer
    /// When the caller gives up: nothing is waited for any longer, and the answer is due.
    package let deadline: ContinuousClock.Instant

    /// The body, read strictly.
    ///
    /// - Throws: ``Problem`` for what it can't be.
    package func decode<Body: WireDecodable>(_ type: Body.Type = Body.self) throws -> Body {
        do throws(RequestFault) {
            return try Body(wireBytes: body.readableBytesView)
        } catch {
            throw Problem(error)
        }
    }

    /// A path parameter as an id; one of another kind or spelling names nothing.
    package func identifier<Kind: IdentifierKind>(_ name: String = "id", as: Kind.Type = Kind.self) throws -> PrefixedID<Kind> {
        guard let text = parameters.get(name), let id = PrefixedID<Kind>(text) else { throw Problem(.notFound) }
        return id
    }
}

/// What a handler answers.
package struct Answer: Sendable {
    package let status: HTTPResponse.Status
    package let body: [UInt8]
    package let mediaType: String
    package let extraHeaders: [HTTPField]
    /// The code of a refusal, for the log.
    let problemCode: ProblemCode?

    package init(_ status: HTTPResponse.Status, _ body: some WireEncodable, extraHeaders: [HTTPField] = []) {
        self.status = status
        self.body = body.wireBytes()
        self.mediaType = "application/json"
        self.extraHeaders = extraHeaders
        problemCode = nil
    }

    package init(_ problem: Problem, extraHeaders: [HTTPField] = []) {
        status = .init(code: problem.status)
        body = problem.wireBytes()
        mediaType = Problem.mediaType
        var headers = extraHeaders
        if let seconds = problem.retryAfterSeconds { headers.append(HTTPField(name: .retryAfter, value: String(seconds))) }
        self.extraHeaders = headers
        problemCode = problem.code
    }
}

extension HTTPField.Name {
    package static let requestID = HTTPField.Name("x-request-id")!
    package static let traceparent = HTTPField.Name("traceparent")!
    package static let idempotencyKey = HTTPField.Name("idempotency-key")!
    package static let idempotencyReplayed = HTTPField.Name("idempotency-replayed")!
    package static let florinDeadline = HTTPField.Name("florin-deadline")!
}
