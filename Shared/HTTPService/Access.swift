package import AccessTokens
import Contracts

// Who may come to an endpoint: one type per kind, so that what the handler is given follows from it.

/// Everybody, known or not.
package struct PublicAccess: Sendable {
    /// Where the pages come from that may send what changes something; nil for any origin, as for an API.
    let origin: String?

    package static let `public` = PublicAccess(origin: nil)

    /// For forms that need no session yet: another site must not sign a person in, or up, as somebody else (login CSRF).
    ///
    /// - Parameter origin: As in ``SessionAccess``.
    package static func `public`(from origin: String) -> PublicAccess { PublicAccess(origin: origin) }
}

/// A client that authenticates itself (RFC 6749, section 2.3): by HTTP Basic, by `client_secret` in the form, or, without a secret, by
/// its `client_id` alone.
package struct ClientAccess<Client: Sendable>: Sendable {
    package typealias Verifier = @Sendable (ClientCredentials) async throws -> Client?

    let verify: Verifier

    /// - Parameter verify: Gives the client whose credentials these are, or nil: for an unknown client, a wrong secret, and for one that
    ///   brings none though it has one. It compares in constant time.
    package init(_ verify: @escaping Verifier) {
        self.verify = verify
    }
}

/// A service of the fleet that signs its requests; there is no user.
package struct SignedAccess: Sendable {
    let callers: Set<String>

    package static func signed(by callers: Set<String>) -> SignedAccess { SignedAccess(callers: callers) }
}

/// A service of the fleet that signs its requests and brings a user's or a client's own access token.
package struct TokenAccess: Sendable {
    let grants: [RouteGrant]
    let authentication: RequiredAuthentication?

    /// - Parameters:
    ///   - grants: The pairs of caller and token that are let in.
    ///   - authentication: How, and how recently, the user must have signed in; nil where any sign-in will do.
    package static func signedWithToken(_ grants: [RouteGrant], authentication: RequiredAuthentication? = nil) -> TokenAccess {
        TokenAccess(grants: grants, authentication: authentication)
    }

    func isOpen(to caller: String) -> Bool {
        grants.contains { $0.callers.contains(caller) }
    }

    /// - Throws: ``Problem`` `caller_not_allowed` for a pair that no grant names, `insufficient_scope` for a token without scope or role.
    func grant(to caller: String, with token: AccessToken) throws(Problem) -> RouteGrant {
        let grants = grants.filter { $0.callers.contains(caller) && $0.fits(token) }
        guard !grants.isEmpty else { throw Problem(ProblemCode.callerNotAllowed) }
        guard let grant = grants.first(where: { $0.isCovered(by: token) }) else { throw Problem(ProblemCode.insufficientScope) }
        return grant
    }
}

/// A person with a browser, known by the session that a cookie names.
package struct SessionAccess<Session: Sendable>: Sendable {
    package typealias Finder = @Sendable (_ cookie: String) async throws -> Session?

    let cookie: String
    let origin: String
    let find: Finder

    /// - Parameters:
    ///   - cookie: The name of the cookie; `__Host-` in front binds it to this host and to https.
    ///   - origin: Where the service's own pages come from, as browsers spell it: `https://staff.example`. What changes something is
    ///     taken from there only.
    ///   - find: Gives the session that a cookie names, or nil for none or one that has ended.
    package init(cookie: String, origin: String, _ find: @escaping Finder) {
        self.cookie = cookie
        self.origin = origin
        self.find = find
    }
}

/// Whom a request with ``PublicAccess`` comes from.
package struct Anybody: Sendable {
    package init() {}
}

/// Whom a request with ``SignedAccess`` comes from.
package struct SigningService: Sendable {
    /// The calling service.
    package let caller: String

    package init(caller: String) {
        self.caller = caller
    }
}

/// Whom a request with ``TokenAccess`` comes from.
package struct TokenBearer: Sendable {
    /// The calling service.
    package let caller: String
    package let token: AccessToken
    /// The grant by which it was let in.
    package let grant: RouteGrant

    package init(caller: String, token: AccessToken, grant: RouteGrant) {
        self.caller = caller
        self.token = token
        self.grant = grant
    }
}
