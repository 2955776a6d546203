import AccessTokens
import Contracts
import Postgres
import TestSupport
import Testing

/// Who may see and resolve alerts: every route × calling service × token.
@Suite struct RiskAccessTests {
    enum Token: CaseIterable, Sendable {
        case none, staff, otherRole, noRole, otherScope, user, client, expired, forged, otherIssuer
    }

    static let callers = ["backoffice", "fleetctl", "mobile-bff", "api-gateway", "unknown"]
    static let routes = ["GET /v1/risk/alerts", "POST /v1/risk/alerts/{id}/resolve"]

    @Test func theRouterTheTableAndTheDocumentHaveTheSameRoutes() async throws {
        let api = try await RiskAPI.shared()
        #expect(Set(api.routes) == Set(Self.routes) && api.routes.count == Self.routes.count)
        #expect(Set(api.routes) == Set(api.documented.statuses.keys))
        for (route, statuses) in api.documented.statuses {
            #expect(statuses.isSuperset(of: [401, 403, 503]), "\(route)")
        }
    }

    @Test(arguments: routes) func aRouteIsOpenToOperatorsOnly(route: String) async throws {
        let api = try await RiskAPI.shared()
        let words = route.split(separator: " ").map(String.init)
        for caller in Self.callers {
            for token in Token.allCases {
                let party = Party(caller: caller, token: try await mint(token, api))
                let id = try await api.alert()
                let answer = try await api.send(
                    SignedCall(
                        words[0], words[1].replacing("{id}", with: id), words[0] == "GET" ? nil : #"{"resolution":"confirmed"}"#, as: party))
                let expected = Self.expected(caller, token)
                #expect(
                    answer.status == expected.status && answer.code == expected.code,
                    "\(route) by \(caller) with \(token): \(answer.status) \(answer.code ?? "-"), not \(expected)")
                let resolved = try await api.fixture.query(
                    "SELECT resolved_at IS NOT NULL FROM risk_alerts WHERE id = '\(try #require(AlertID(id)).uuid)'"
                ) { row in try row.decode(Bool.self) }
                #expect(resolved == [answer.status == 200 && words[0] == "POST"])
            }
        }
    }

    private func mint(_ token: Token, _ api: RiskAPI) async throws -> String? {
        let user = Principal.user(RiskAPI.newUserID())
        let (scopes, roles) = (["risk:operate"], ["risk-analyst"])
        switch token {
        case .none: return nil
        case .staff: return try await api.token(user)
        case .otherRole: return try await api.token(user, roles: ["admin", "support"])
        case .noRole: return try await api.token(user, roles: [])
        case .otherScope: return try await api.token(user, scopes: ["ledger:operate"])
        case .user: return try await api.token(user, scopes: ["wallet"], roles: [])
        case .client: return try await api.token(.client("bank"), roles: roles)
        case .expired:
            return try await api.credentials.issuer.token(for: user, scopes: scopes, roles: roles, lifetime: 60, now: RiskAPI.now - 3_600)
        case .forged: return try await api.credentials.forger.token(for: user, scopes: scopes, roles: roles, now: RiskAPI.now)
        case .otherIssuer: return try await api.credentials.otherIssuer.token(for: user, scopes: scopes, roles: roles, now: RiskAPI.now)
        }
    }

    private static func expected(_ caller: String, _ token: Token) -> (status: Int, code: String?) {
        switch caller {
        case "backoffice", "fleetctl": break
        case "unknown": return (401, "signature_invalid")
        default: return (403, "caller_not_allowed")
        }
        switch token {
        case .none: return (401, "token_missing")
        case .staff: return (200, nil)
        case .otherRole, .otherScope, .user: return (403, "insufficient_scope")
        case .client: return (403, "caller_not_allowed")
        case .expired: return (401, "token_expired")
        case .noRole, .forged, .otherIssuer: return (401, "token_invalid")
        }
    }
}
