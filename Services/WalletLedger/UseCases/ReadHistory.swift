package import Contracts
package import Postgres
package import ServiceDatabase

/// Answers about a wallet's past: balance at a time, statement of a period, entries. What the reader may not read does not exist.
///
/// Times are compared as the wire shows them, in whole milliseconds.
package struct ReadHistory: Sendable {
    private let pool: PostgresPool
    private let replica: ReplicaReads?
    private let settling: Duration
    private let clock: ClockWitness
    private let store = HistoryStore()

    /// - Parameters:
    ///   - replica: is asked first where a time is given.
    ///   - settling: see ``HistoryStore/settlingTime``; tests shorten it.
    package init(pool: PostgresPool, replica: ReplicaReads? = nil, settling: Duration? = nil, clock: ClockWitness) {
        self.pool = pool
        self.replica = replica
        self.settling = settling ?? HistoryStore.settlingTime
        self.clock = clock
    }

    /// What the wallet's last entry at or before a time left; nil before the wallet was opened. The answer never changes later.
    ///
    /// - Throws: ``HistoryRefusal`` when the time is not final yet; ``ClockDisagreement``; `PostgresError`.
    package func balance(
        of id: WalletID, at: Timestamp, _ access: WalletAccess, until deadline: ContinuousClock.Instant? = nil
    ) async throws -> PastBalanceBody? {
        let cut = at.nextMillisecond
        let found = await replica?.read(before: cut, settling: settling, within: WaitLimit(until: deadline)) { session in
            try readable(session, id, access).map { try balance(session, $0, at: at, before: cut) }
        }
        if let found { return found }
        return try await pool.withSession(within: WaitLimit(until: deadline)) { session in
            let (settled, wallet) = try begin(session, id, access)
            guard let wallet else { return nil }
            try require(cut, in: settled, parameter: "at")
            return try balance(session, wallet, at: at, before: cut)
        }
    }

    private func balance(_ session: PostgresSession, _ wallet: WalletState, at: Timestamp, before cut: Timestamp) throws -> PastBalanceBody? {
        guard wallet.openedAt < cut else { return nil }
        let last = try lastEntry(session, wallet.id, before: cut)
        return PastBalanceBody(walletID: wallet.id, currency: wallet.currency, at: at, balanceMinor: last.balanceMinor, version: last.version)
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

    /// - Throws: ``HistoryRefusal`` when `to` is not final yet; ``ClockDisagreement``; `PostgresError`.
    package func statement(
        _ question: StatementQuestion, _ access: WalletAccess, until deadline: ContinuousClock.Instant? = nil
    ) async throws -> Statement? {
        if let replica, let to = question.to {
            let found = await replica.read(before: to, settling: settling, within: WaitLimit(until: deadline)) { session in
                try readable(session, question.wallet, access).flatMap { try statement(session, question, $0, to: to) }
            }
            if let found { return found }
        }
        return try await pool.withSession(within: WaitLimit(until: deadline)) { session in
            let (settled, wallet) = try begin(session, question.wallet, access)
            guard let wallet else { return nil }
            let newest = newest(in: settled)
            let to = question.to ?? min(newest, settled.final.wholeMillisecond)
            try require(to, in: settled, parameter: "to")
            guard let statement = try statement(session, question, wallet, to: to) else { throw UnreadableRow(table: "entry_totals") }
            return statement
        }
    }

    /// - Returns: nil where the server can't make the sums that are missing.
    private func statement(
        _ session: PostgresSession, _ question: StatementQuestion, _ wallet: WalletState, to: Timestamp
    ) throws -> Statement? {
        // Who asks for no period of a wallet that was opened a moment ago gets an empty one.
        let from = question.from ?? min(wallet.openedAt.wholeMillisecond, to)
        guard from <= to else { throw HistoryRefusal.atTooRecent(parameter: "from", newest: to) }
        let opening = try lastEntry(session, wallet.id, before: from)
        let closing = try lastEntry(session, wallet.id, before: to)
        let first = max(opening.version, question.after ?? 0)
        let rows = try session.query(store.entriesQuery(wallet.id, after: first, upTo: closing.version, limit: question.limit + 1))
        var entries = try rows.map { try store.entry(wallet.id, $0) }
        let hasMore = entries.count > question.limit
        if hasMore { entries.removeLast() }
        guard let totals = try store.totals(session, wallet.id, after: opening.version, upTo: closing.version) else { return nil }
        guard Int128(opening.balanceMinor) + totals.credits - totals.debits == Int128(closing.balanceMinor) else {
            throw UnreadableRow(table: "entry_totals")
        }
        return Statement(
            wallet: wallet.id, currency: wallet.currency, from: from, to: to, openingBalanceMinor: opening.balanceMinor,
            totalCreditsMinor: totals.credits, totalDebitsMinor: totals.debits, closingBalanceMinor: closing.balanceMinor,
            entries: entries, next: hasMore ? entries.last?.walletVersion : nil)
    }

    private func lastEntry(_ session: PostgresSession, _ id: WalletID, before cut: Timestamp) throws -> LastEntry {
        try store.lastEntry(session.query(store.lastEntryQuery(id, before: cut))[0])
    }

    private func readable(_ session: PostgresSession, _ id: WalletID, _ access: WalletAccess) throws -> WalletState? {
        try session.query(store.walletQuery(id)).first.flatMap { try readable($0, access) }
    }

    private func readable(_ row: PostgresRow, _ access: WalletAccess) throws -> WalletState? {
        let wallet = try WalletState(row: row)
        return !wallet.isWorld && access.reaches(wallet) ? wallet : nil
    }

    /// First what is final, then everything else: only what is read afterwards is covered by it.
    private func begin(_ session: PostgresSession, _ id: WalletID, _ access: WalletAccess) throws -> (HistoryStore.Settled, WalletState?) {
        let askedAt = clock.willAsk()
        let results = try session.pipeline([store.settledQuery, store.walletQuery(id)])
        let settled = try store.settled(results[0][0])
        // By a clock that is ahead, what is still to come would pass for final.
        try clock.check(settled.now, askedAt: askedAt)
        return (settled, try results[1].first.flatMap { try readable($0, access) })
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
