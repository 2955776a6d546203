import AccessTokens
import Contracts
import HTTPService
import HTTPTypes

/// An account, for its owner.
struct ProfileRoutes {
    let read: ReadProfile
    let change: ChangeProfile
    let delete: DeleteAccount

    private static let owners = [RouteGrant(callers: ["api-gateway", "mobile-bff"], holder: .user, scope: "wallet")]
    /// Whoever finds an open session must not be able to delete the account.
    private static let fresh = RequiredAuthentication(contexts: [], maximumAgeSeconds: 300)

    var endpoints: [Endpoint] {
        [
            Endpoint(.get, "/v1/me", access: .signedWithToken(Self.owners), handler: profile),
            Endpoint(.patch, "/v1/me", access: .signedWithToken(Self.owners), body: .json, handler: changing),
            Endpoint(.delete, "/v1/me", access: .signedWithToken(Self.owners, authentication: Self.fresh), handler: deletion),
        ]
    }

    private func profile(_ request: AuthenticatedRequest) async throws -> Answer {
        Answer(.ok, try await read(try request.signedInUser, until: request.deadline))
    }

    private func changing(_ request: AuthenticatedRequest) async throws -> Answer {
        let body = try request.decode(ChangeProfileRequest.self)
        return Answer(.ok, try await change(body, try request.signedInUser, until: request.deadline))
    }

    private func deletion(_ request: AuthenticatedRequest) async throws -> Answer {
        try await delete(try request.signedInUser, RequestFacts(request))
        return .noContent()
    }
}

extension AuthenticatedRequest {
    /// The person who asks, in one of their sessions.
    ///
    /// - Throws: ``Problem`` `token_invalid` for a token that is not a person's, or of no session.
    var signedInUser: SignedInUser {
        get throws {
            guard case .user(let subject) = token.principal, let user = UserID(subject), let session = token.sessionID.flatMap({ SessionID($0) })
            else { throw Problem(.tokenInvalid) }
            return SignedInUser(user: user.uuid, session: session.uuid)
        }
    }
}
