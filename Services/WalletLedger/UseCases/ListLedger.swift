package import Contracts
import FoundationEssentials
package import Postgres

/// Lists wallets, entries, transfers and holds as far as the reader may read them, newest first.
///
/// A page is never longer than asked for. It may be shorter and still not the last: see ``HistoryStore/scanLimit``.
package struct ListLedger: Sendable {
    /// A page and what it ended with, if there is more.
    package struct Page<Item: Sendable, Position: Sendable>: Sendable {
        package let items: [Item]
        package let next: Position?
    }

    private let pool: PostgresPool
    private let store = ListingStore()
    private let history = HistoryStore()
    private let holdStore = HoldStore()
    private let postings = BatchStore()

    package init(pool: PostgresPool) {
        self.pool = pool
    }

    /// Which entries of a wallet are asked for.
    package struct EntryFilter: Sendable {
        package let wallet: WalletID
        package var kind: PostingKind?
        package var from: Timestamp?
        /// Not included.
        package var to: Timestamp?

        package init(wallet: WalletID, kind: PostingKind? = nil, from: Timestamp? = nil, to: Timestamp? = nil) {
            self.wallet = wallet
            self.kind = kind
            self.from = from
            self.to = to
        }
    }

    /// - Parameter before: the version that the last page ended with.
    /// - Returns: nil for a wallet that the reader may not read.
    package func entries(
        _ filter: EntryFilter, before: Int64?, limit: Int, _ access: WalletAccess, until deadline: ContinuousClock.Instant? = nil
    ) async throws -> Page<EntryBody, Int64>? {
        try await pool.withSession(within: WaitLimit(until: deadline)) { session in try entries(session, filter, before: before, limit: limit, access)
        }
    }

    /// The postings whose entries the filter finds.
    package func transfers(
        _ filter: EntryFilter, before: Int64?, limit: Int, _ access: WalletAccess, until deadline: ContinuousClock.Instant? = nil
    ) async throws -> Page<TransferBody, Int64>? {
        try await pool.withSession(within: WaitLimit(until: deadline)) { session in
            guard let page = try entries(session, filter, before: before, limit: limit, access) else { return nil }
            return Page(items: try transfers(session, page.items.map(\.transferID), access), next: page.next)
        }
    }

    /// The one posting that this principal ordered under a reference, if it may still be read.
    package func transfer(
        reference: String, _ access: WalletAccess, until deadline: ContinuousClock.Instant? = nil
    ) async throws -> [TransferBody] {
        try await pool.withSession(within: WaitLimit(until: deadline)) { session in
            let rows = try session.query(store.referenceQuery(reference, orderedBy: access.principal))
            return try transfers(session, rows.map { TransferID(try $0.decode(UUID.self)) }, access)
        }
    }

    /// - Parameter owner: nobody else's wallets when given.
    package func wallets(
        ownedBy owner: UserID?, before: WalletID?, limit: Int, _ access: WalletAccess, until deadline: ContinuousClock.Instant? = nil
    ) async throws -> Page<WalletState, WalletID> {
        let listed: ListingStore.Wallets
        switch access {
        case .user(let id): listed = .ownedBy(id)
        case .client: listed = owner.map { .ownedBy($0) } ?? .openedBy(access.principal)
        case .staff:
            guard let owner else { return Page(items: [], next: nil) }
            listed = .ownedBy(owner)
        }
        return try await pool.withSession(within: WaitLimit(until: deadline)) { session in
            // Of an owner's wallets a client sees those that it opened, and may have opened few.
            let isFiltered = access.isClient && owner != nil
            let scanned = isFiltered ? HistoryStore.scanLimit : limit + 1
            let found = try store.wallets(session, store.walletsQuery(listed, before: before, limit: scanned))
            let readable = found.filter { !$0.isWorld && access.reaches($0) && (owner == nil || $0.ownerID == owner) }
            if readable.count > limit { return Page(items: Array(readable.prefix(limit)), next: readable[limit - 1].id) }
            return Page(items: readable, next: isFiltered && found.count == scanned ? found.last?.id : nil)
        }
    }

    /// - Returns: nil for a wallet that the reader may not read.
    package func holds(
        of wallet: WalletID, openOnly: Bool, before: HoldID?, limit: Int, _ access: WalletAccess, until deadline: ContinuousClock.Instant? = nil
    ) async throws -> Page<HoldBody, HoldID>? {
        try await pool.withSession(within: WaitLimit(until: deadline)) { session in
            guard try readable(session, wallet, access) else { return nil }
            let query = holdStore.latestQuery(wallet, openOnly: openOnly, before: before, limit: limit + 1)
            let found = try session.query(query).map { try HoldState(row: $0).body }
            return Page(items: Array(found.prefix(limit)), next: found.count > limit ? found[limit - 1].id : nil)
        }
    }

    private func readable(_ session: PostgresSession, _ id: WalletID, _ access: WalletAccess) throws -> Bool {
        let wallet = try session.query(history.walletQuery(id)).first.map(WalletState.init(row:))
        return wallet.map { !$0.isWorld && access.reaches($0) } ?? false
    }

    private func entries(
        _ session: PostgresSession, _ filter: EntryFilter, before: Int64?, limit: Int, _ access: WalletAccess
    ) throws -> Page<EntryBody, Int64>? {
        guard try readable(session, filter.wallet, access) else { return nil }
        var first: Int64 = 0
        var last = before ?? .max
        if let from = filter.from {
            first = try history.lastEntry(session.query(history.lastEntryQuery(filter.wallet, before: from))[0]).version
        }
        if let to = filter.to {
            last = min(last, try history.lastEntry(session.query(history.lastEntryQuery(filter.wallet, before: to))[0]).version + 1)
        }
        guard let kind = filter.kind else {
            let query = history.latestEntriesQuery(filter.wallet, after: first, before: last, limit: limit + 1)
            let entries = try session.query(query).map { try history.entry(filter.wallet, $0) }
            guard entries.count > limit else { return Page(items: entries, next: nil) }
            return Page(items: Array(entries.prefix(limit)), next: entries[limit - 1].walletVersion)
        }
        let found = try session.query(history.latestEntriesQuery(filter.wallet, kind: kind, after: first, before: last))
            .map { try history.scannedEntry(filter.wallet, $0) }
        let entries = found.filter(\.isOfKind).map(\.entry)
        if entries.count > limit { return Page(items: Array(entries.prefix(limit)), next: entries[limit - 1].walletVersion) }
        guard let end = found.last, end.scanned == HistoryStore.scanLimit else { return Page(items: entries, next: nil) }
        return Page(items: entries, next: end.entry.walletVersion)
    }

    /// Postings in the order of the ids, each with the legs that the reader may read; one with none is left out.
    private func transfers(_ session: PostgresSession, _ ids: [TransferID], _ access: WalletAccess) throws -> [TransferBody] {
        guard !ids.isEmpty else { return [] }
        let found = try postings.postings(session, ids)
        let legs = Set(found.values.flatMap { [$0.debit.walletID, $0.credit.walletID] }.filter { !$0.isWorld })
        let wallets = try store.wallets(session, store.walletsQuery(Array(legs)))
        let readable = Set(wallets.filter { !$0.isWorld && access.reaches($0) }.map(\.id))
        return ids.compactMap { id in
            guard let posting = found[id] else { return nil }
            let body = posting.body(mayRead: readable.contains)
            return body.entries.isEmpty ? nil : body
        }
    }
}

extension WalletAccess {
    fileprivate var isClient: Bool {
        if case .client = self { true } else { false }
    }
}
