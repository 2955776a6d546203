import AccessTokens
import Contracts
import HTTPService
import ServiceRuntime

/// Who may see and resolve alerts: operators, through the services that they use.
enum RiskGrants {
    static let staff = RouteGrant(callers: ["backoffice", "fleetctl"], holder: .staff(.riskAnalyst), scope: "risk:operate")
}

extension AuthenticatedRequest {
    /// The member of staff who asks.
    ///
    /// - Throws: ``Problem`` `caller_not_allowed` when it is none.
    var staffID: String {
        get throws {
            guard case .user(let subject) = token.principal else { throw Problem(.callerNotAllowed) }
            return subject
        }
    }
}
