import Contracts
import FoundationEssentials
import HTTPService
import HTTPTypes
import ServiceRuntime

/// Lists of wallets, transfers and holds.
struct ListRoutes {
    let list: ListLedger

    private static let readers = TokenAccess.signedWithToken(LedgerGrants.readers)

    var endpoints: [Endpoint] {
        [
            Endpoint(.get, "/v1/wallets", access: Self.readers, takesQuery: true, handler: wallets),
            Endpoint(.get, "/v1/transfers", access: Self.readers, takesQuery: true, handler: transfers),
            Endpoint(.get, "/v1/wallets/{id}/holds", access: Self.readers, takesQuery: true, handler: holds),
        ]
    }

    private func wallets(_ request: AuthenticatedRequest) async throws -> Answer {
        let query = try QueryReader(request.query, known: ["owner_id"])
        let access = try request.access
        let owner = try query.identifier("owner_id", as: UserKind.self)
        switch access {
        // As everywhere, who names somebody else names nobody.
        case .user(let id): guard owner == nil || owner == id else { throw Problem(.notFound) }
        case .client: break
        case .staff: guard owner != nil else { throw QueryReader.fault(.malformedRequest, "owner_id", "Required.") }
        }
        let pages = PageList(route: "wallets", principal: access.principal)
        let before = try query.cursor(of: pages, fields: 2).map { WalletID(UUID(high: $0[0], low: $0[1])) }
        let page = try await list.wallets(
            ownedBy: owner, before: before, limit: try query.limit(), access, until: request.deadline)
        let next = page.next.map { [$0.uuid.halves.high, $0.uuid.halves.low] }
        return Answer(.ok, PageBody(items: page.items.map { WalletBody($0) }, nextCursor: query.cursor(after: next, of: pages)))
    }

    private func holds(_ request: AuthenticatedRequest) async throws -> Answer {
        let query = try QueryReader(request.query, known: ["status"])
        let (id, access) = (try request.identifier(as: WalletKind.self), try request.access)
        let pages = PageList(route: "holds", principal: access.principal, subject: id.description)
        let before = try query.cursor(of: pages, fields: 2).map { HoldID(UUID(high: $0[0], low: $0[1])) }
        let page = try await list.holds(
            of: id, openOnly: try query.openOnly(), before: before, limit: try query.limit(), access, until: request.deadline)
        guard let page else { throw Problem(.notFound) }
        let next = page.next.map { [$0.uuid.halves.high, $0.uuid.halves.low] }
        return Answer(.ok, PageBody(items: page.items, nextCursor: query.cursor(after: next, of: pages)))
    }

    /// Of one wallet, page by page, or the one that the caller ordered under a reference.
    private func transfers(_ request: AuthenticatedRequest) async throws -> Answer {
        let query = try QueryReader(request.query, known: ["wallet_id", "kind", "from", "to", "reference"])
        let access = try request.access
        let limit = try query.limit()
        if let reference = try query.reference() {
            for name in ["wallet_id", "kind", "from", "to", "cursor"] where query.has(name) {
                throw QueryReader.fault(.malformedRequest, name, "Can't be combined with `reference`.")
            }
            let found = try await list.transfer(reference: reference, access, until: request.deadline)
            return Answer(.ok, PageBody(items: found, nextCursor: nil))
        }
        guard let wallet = try query.identifier("wallet_id", as: WalletKind.self) else {
            throw QueryReader.fault(.malformedRequest, "wallet_id", "Required unless `reference` is given.")
        }
        let pages = PageList(route: "transfers", principal: access.principal)
        let (from, to) = try query.period()
        let filter = ListLedger.EntryFilter(wallet: wallet, kind: try query.kind(), from: from, to: to)
        let before = try query.cursor(of: pages, fields: 1).map { try PageCursor.signed($0[0]) }
        let page = try await list.transfers(filter, before: before, limit: limit, access, until: request.deadline)
        guard let page else { throw Problem(.notFound) }
        return Answer(.ok, PageBody(items: page.items, nextCursor: query.cursor(after: page.next.map { [UInt64($0)] }, of: pages)))
    }
}
