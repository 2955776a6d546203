package import Contracts
package import Postgres

/// Answers about a wallet's past: balance at a time, statement of a period, entries. What the reader may not read does not exist.
///
/// Times are compared as the wire shows them, in whole milliseconds.
package struct ReadHistory: Sendable {
    private let pool: PostgresPool
    private let settling: Duration
    private let store = HistoryStore()

    /// - Parameter settling: see ``HistoryStore/settlingTime``; tests shorten it.
    package init(pool: PostgresPool, settling: Duration? = nil) {
        self.pool = pool
        self.settling = settling ?? HistoryStore.settlingTime
    }

    /// What the wallet's last entry at or before a time left; nil before the wallet was opened. The answer never changes later.
    ///
    /// - Throws: ``HistoryRefusal`` when the time is not final yet.
    package func balance(of id: WalletID, at: Timestamp, _ access: WalletAccess) async throws -> PastBalanceBody? {
        try await pool.withSession { session in
            let (settled, wallet) = try begin(session, id, access)
            guard let wallet else { return nil }
            let cut = at.nextMillisecond
            try require(cut, in: settled, parameter: "at")
            guard wallet.openedAt < cut else { return nil }
            let last = try store.lastEntry(session.query(store.lastEntryQuery(id, before: cut))[0])
            return PastBalanceBody(walletID: id, currency: wallet.currency, at: at, balanceMinor: last.balanceMinor, version: last.version)
        }
    }

    /// A period of a wallet and where in it a page begins.
    package struct StatementQuestion: Sendable {
        package let wallet: WalletID
        /// The wallet's opening when nil.
        package var from: Timestamp?
        /// Not included; the newest that is final when nil.
        package var to: Timestamp?
        /// The version that the last page ended with.
        package var after: Int64?
        package var limit: Int

        package init(wallet: WalletID, from: Timestamp? = nil, to: Timestamp? = nil, after: Int64? = nil, limit: Int) {
            self.wallet = wallet
            self.from = from
            self.to = to
            self.after = after
            self.limit = limit
        }
    }

    package struct Statement: Sendable {
        package let wallet: WalletID
        package let currency: Currency
        package let from: Timestamp
        package let to: Timestamp
        package let openingBalanceMinor: Int64
        package let totalCreditsMinor: Int128
        package let totalDebitsMinor: Int128
        package let closingBalanceMinor: Int64
        package let entries: [EntryBody]
        /// The version to go on after, if there is more.
        package let next: Int64?
    }

    /// - Throws: ``HistoryRefusal`` when `to` is not final yet.
    package func statement(_ question: StatementQuestion, _ access: WalletAccess) async throws -> Statement? {
        try await pool.withSession { session in
            let (settled, wallet) = try begin(session, question.wallet, access)
            guard let wallet else { return nil }
            let newest = newest(in: settled)
            let to = question.to ?? min(newest, settled.openSince?.wholeMillisecond ?? newest)
            try require(to, in: settled, parameter: "to")
            // Who asks for no period of a wallet that was opened a moment ago gets an empty one.
            let from = question.from ?? min(wallet.openedAt.wholeMillisecond, to)
            guard from <= to else { throw HistoryRefusal.atTooRecent(parameter: "from", newest: to) }
            let opening = try store.lastEntry(session.query(store.lastEntryQuery(question.wallet, before: from))[0])
            let closing = try store.lastEntry(session.query(store.lastEntryQuery(question.wallet, before: to))[0])
            let first = max(opening.version, question.after ?? 0)
            let rows = try session.query(
                store.entriesQuery(question.wallet, after: first, upTo: closing.version, limit: question.limit + 1))
            var entries = try rows.map { try store.entry(question.wallet, $0) }
            let hasMore = entries.count > question.limit
            if hasMore { entries.removeLast() }
            let totals = try store.totals(session, question.wallet, after: opening.version, upTo: closing.version)
            guard let totals, Int128(opening.balanceMinor) + totals.credits - totals.debits == Int128(closing.balanceMinor) else {
                throw UnreadableRow(table: "entry_totals")
            }
            return Statement(
                wallet: question.wallet, currency: wallet.currency, from: from, to: to, openingBalanceMinor: opening.balanceMinor,
                totalCreditsMinor: totals.credits, totalDebitsMinor: totals.debits, closingBalanceMinor: closing.balanceMinor,
                entries: entries, next: hasMore ? entries.last?.walletVersion : nil)
        }
    }

    /// First what is final, then everything else: only what is read afterwards is covered by it.
    private func begin(_ session: PostgresSession, _ id: WalletID, _ access: WalletAccess) throws -> (HistoryStore.Settled, WalletState?) {
        let results = try session.pipeline([store.settledQuery, store.walletQuery(id)])
        let wallet = try results[1].first.map(WalletState.init(row:))
        return (try store.settled(results[0][0]), wallet.flatMap { !$0.isWorld && access.reaches($0) ? $0 : nil })
    }

    private func newest(in settled: HistoryStore.Settled) -> Timestamp {
        settled.now.earlier(by: settling).wholeMillisecond
    }

    /// Whether what was posted before the cut can't change any more.
    private func require(_ cut: Timestamp, in settled: HistoryStore.Settled, parameter: String) throws {
        guard cut <= newest(in: settled) else { throw HistoryRefusal.atTooRecent(parameter: parameter, newest: newest(in: settled)) }
        if let openSince = settled.openSince, cut > openSince { throw HistoryRefusal.unsettled }
    }
}
