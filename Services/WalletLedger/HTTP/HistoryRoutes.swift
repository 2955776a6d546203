import Contracts
import HTTPService
import HTTPTypes
import ServiceRuntime

/// What is in one wallet, and how it came to be: balance, statement, entries.
struct HistoryRoutes {
    let history: ReadHistory
    let list: ListLedger
    let read: ReadLedger

    private static let readers = TokenAccess.signedWithToken(LedgerGrants.readers)

    var endpoints: [Endpoint] {
        [
            Endpoint(.get, "/v1/wallets/{id}/balance", access: Self.readers, takesQuery: true, handler: balance),
            Endpoint(.get, "/v1/wallets/{id}/statement", access: Self.readers, takesQuery: true, handler: statement),
            Endpoint(.get, "/v1/wallets/{id}/entries", access: Self.readers, takesQuery: true, handler: entries),
        ]
    }

    private func balance(_ request: AuthenticatedRequest) async throws -> Answer {
        let query = try QueryReader(request.query, known: ["at"], isPaged: false)
        let (id, access) = (try request.identifier(as: WalletKind.self), try request.access)
        // An entry is shown in whole milliseconds: all that are shown with this time count.
        guard let at = try query.time("at", rounding: .down) else {
            guard let wallet = try await read.wallet(id, access, until: request.deadline) else { throw Problem(.notFound) }
            return Answer(.ok, BalanceBody(wallet))
        }
        let body = try await history.balance(of: id, at: at, access, until: request.deadline)
        guard let body else { throw Problem(.notFound) }
        return Answer(.ok, body)
    }

    private func entries(_ request: AuthenticatedRequest) async throws -> Answer {
        let query = try QueryReader(request.query, known: ["kind", "from", "to"])
        let (id, access) = (try request.identifier(as: WalletKind.self), try request.access)
        let pages = PageList(route: "entries", principal: access.principal, subject: id.description)
        let (from, to) = try query.period()
        let filter = ListLedger.EntryFilter(wallet: id, kind: try query.kind(), from: from, to: to)
        let page = try await list.entries(
            filter, before: try query.cursor(of: pages, fields: 1).map { try PageCursor.signed($0[0]) }, limit: try query.limit(), access,
            until: request.deadline)
        guard let page else { throw Problem(.notFound) }
        return Answer(.ok, PageBody(items: page.items, nextCursor: query.cursor(after: page.next.map { [UInt64($0)] }, of: pages)))
    }

    /// A later page is of the period of the first one, also where nobody said when it ends: the cursor keeps it.
    private func statement(_ request: AuthenticatedRequest) async throws -> Answer {
        let query = try QueryReader(request.query, known: ["from", "to"])
        let (id, access) = (try request.identifier(as: WalletKind.self), try request.access)
        let pages = PageList(route: "statement", principal: access.principal, subject: id.description)
        let (from, to) = try query.period()
        var question = ReadHistory.StatementQuestion(wallet: id, from: from, to: to, limit: try query.limit())
        if let position = try query.cursor(of: pages, fields: 2) {
            question.after = try PageCursor.signed(position[0])
            question.to = Timestamp(microsecondsSinceUnixEpoch: try PageCursor.signed(position[1]))
        }
        guard let statement = try await history.statement(question, access, until: request.deadline) else { throw Problem(.notFound) }
        let next = statement.next.map { [UInt64($0), UInt64(statement.to.microsecondsSinceUnixEpoch)] }
        let page = PageBody(items: statement.entries, nextCursor: query.cursor(after: next, of: pages))
        return Answer(.ok, StatementBody(statement, page: page))
    }
}

extension StatementBody {
    init(_ statement: ReadHistory.Statement, page: PageBody<EntryBody>) {
        self.init(
            walletID: statement.wallet, currency: statement.currency, from: statement.from, to: statement.to,
            openingBalanceMinor: statement.openingBalanceMinor, totalCreditsMinor: statement.totalCreditsMinor,
            totalDebitsMinor: statement.totalDebitsMinor, closingBalanceMinor: statement.closingBalanceMinor, page: page)
    }
}

extension BalanceBody {
    init(_ wallet: WalletState) {
        self.init(
            walletID: wallet.id, currency: wallet.currency, balanceMinor: wallet.balanceMinor, heldMinor: wallet.heldMinor,
            version: wallet.version)
    }
}
