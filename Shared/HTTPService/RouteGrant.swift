import AccessTokens
package import Contracts

/// One pair of identities that a route takes: a calling service and the kind of token it must bring.
package struct RouteGrant: Sendable, Hashable {
    package enum Holder: Sendable, Hashable {
        /// A user's own token.
        case user
        /// A client's own token, without a user.
        case client
        /// A member of staff's token: a user's, with this role.
        case staff(UserRole)
    }

    package let callers: Set<String>
    package let holder: Holder
    package let scope: String

    package init(callers: Set<String>, holder: Holder, scope: String) {
        self.callers = callers
        self.holder = holder
        self.scope = scope
    }

    /// Whether the token's holder is of the kind that this grant is for.
    func fits(_ token: AccessToken) -> Bool {
        switch (holder, token.principal) {
        case (.user, .user), (.staff, .user), (.client, .client): true
        case (.user, .client), (.staff, .client), (.client, .user): false
        }
    }

    /// Whether the token brings what the grant asks for.
    func isCovered(by token: AccessToken) -> Bool {
        guard token.hasScope(scope) else { return false }
        switch holder {
        case .user, .client: return true
        case .staff(let role): return token.roles.contains(role.rawValue)
        }
    }
}
