import AccessTokens
import Contracts
import FoundationEssentials
import HTTPService
import HTTPTypes
import Observability

/// What other services of the fleet ask of accounts; the gateway routes none of it.
struct InternalRoutes {
    let resolve: ResolveUser
    let list: ListRevocations

    private static let payers = [RouteGrant(callers: ["mobile-bff"], holder: .user, scope: "wallet")]

    var endpoints: [Endpoint] {
        [
            Endpoint(.post, "/v1/internal/users/resolve", access: .signedWithToken(Self.payers), body: .json, handler: resolution),
            Endpoint(
                .get, "/v1/internal/revocations", access: SignedAccess.signed(by: ["api-gateway"]), takesQuery: true, handler: revocations),
        ]
    }

    private func resolution(_ request: AuthenticatedRequest) async throws -> Answer {
        let body = try request.decode(ResolveUserRequest.self)
        guard case .user(let subject) = request.token.principal, let asker = UserID(subject) else { throw Problem(.tokenInvalid) }
        return Answer(.ok, UserIDBody(userID: try await resolve(body, for: asker.uuid, RequestFacts(request))))
    }

    private func revocations(_ request: SignedRequest) async throws -> Answer {
        let query = try QueryReader(request.query, known: ["since"])
        let pages = PageList(route: "revocations", principal: request.caller)
        let last = try query.cursor(of: pages, fields: 3).map { place in
            // A cursor that somebody made up may name any time; none is later than now.
            let endedAt = Timestamp(microsecondsSinceUnixEpoch: try PageCursor.signed(place[0]))
            return RevocationPlace(endedAt: min(endedAt, Timestamp.now()), session: UUID(high: place[1], low: place[2]))
        }
        let page = try await list(
            since: try query.time("since", rounding: .down), after: last, limit: try query.limit(), until: request.deadline)
        let next = page.next.map { place in
            [UInt64(bitPattern: place.endedAt.microsecondsSinceUnixEpoch), place.session.halves.high, place.session.halves.low]
        }
        return Answer(.ok, PageBody(items: page.items, nextCursor: query.cursor(after: next, of: pages)))
    }
}
