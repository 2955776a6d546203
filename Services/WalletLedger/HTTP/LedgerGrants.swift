import AccessTokens
import Contracts
import HTTPService
import ServiceRuntime

/// "Who may do what in the ledger", as grants. Each route lists the pairs of calling service and token that it takes.
enum LedgerGrants {
    static let user = RouteGrant(callers: ["mobile-bff"], holder: .user, scope: "wallet")
    static let clientReads = RouteGrant(callers: ["api-gateway"], holder: .client, scope: "ledger:read")
    static let clientWrites = RouteGrant(callers: ["api-gateway"], holder: .client, scope: "ledger:write")
    static let clientFunds = RouteGrant(callers: ["api-gateway"], holder: .client, scope: "ledger:fund")
    static let staff = RouteGrant(callers: ["backoffice", "fleetctl"], holder: .staff(.admin), scope: "ledger:operate")

    /// Who may read what they reach.
    static let readers = [user, clientReads, staff]
}

extension AuthenticatedRequest {
    /// As whom the ledger sees the request.
    ///
    /// - Throws: ``Problem`` `token_invalid` when a user's subject is no user id.
    var access: WalletAccess {
        get throws {
            switch (grant.holder, token.principal) {
            case (.client, .client(let id)): return .client(id)
            case (.staff, .user(let subject)): return .staff(subject)
            case (.user, .user(let subject)):
                guard let id = UserID(subject) else { throw Problem(.tokenInvalid) }
                return .user(id)
            case (.client, .user), (.staff, .client), (.user, .client): throw Problem(.callerNotAllowed)
            }
        }
    }
}
