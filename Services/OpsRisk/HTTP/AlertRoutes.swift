import Contracts
import FoundationEssentials
import HTTPService
import HTTPTypes
import Observability
import ServiceRuntime

/// Alerts: what was found, and what operators found it to be.
struct AlertRoutes {
    let list: ListAlerts
    let resolve: ResolveAlert

    private static let staff = TokenAccess.signedWithToken([RiskGrants.staff])

    var endpoints: [Endpoint] {
        [
            Endpoint(.get, "/v1/risk/alerts", access: Self.staff, takesQuery: true, handler: alerts),
            Endpoint(.post, "/v1/risk/alerts/{id}/resolve", access: Self.staff, body: .json, keepsKey: true, handler: resolution),
        ]
    }

    private func resolution(_ request: AuthenticatedRequest) async throws -> Answer {
        let staffID = try request.staffID
        let resolver = Resolver(
            caller: request.caller, userID: staffID, key: try request.idempotencyKey(principal: "staff:\(staffID)"),
            requestID: request.requestID.text, traceparent: request.trace.traceparent,
            deadline: request.deadline)
        let body = try request.decode(ResolveRiskAlertRequest.self)
        let answer = try await resolve(try request.identifier(), body, by: resolver)
        return try Answer(answer, status: .ok, refused: Problem.init)
    }

    private func alerts(_ request: AuthenticatedRequest) async throws -> Answer {
        let query = try QueryReader(request.query, known: ["status", "wallet_id"])
        let pages = PageList(route: "risk alerts", principal: "staff:\(try request.staffID)")
        let filter = ListAlerts.Filter(
            status: try query.choice("status"), wallet: try query.identifier("wallet_id", as: WalletKind.self))
        let before = try query.cursor(of: pages, fields: 2).map { AlertID(UUID(high: $0[0], low: $0[1])) }
        let page = try await list(filter, before: before, limit: try query.limit(), until: request.deadline)
        let next = page.next.map { [$0.uuid.halves.high, $0.uuid.halves.low] }
        return Answer(.ok, PageBody(items: page.items, nextCursor: query.cursor(after: next, of: pages)))
    }
}
