import Contracts
import FoundationEssentials
import HTTPService
import Idempotency
import Outbox
import Postgres
import ServiceDatabase

/// The SQL of a batch: two round trips, one before the decision and one after it.
struct BatchStore {
    /// A batch that waits longer than this for a wallet's lock gives up; nothing else is ever waited for.
    static let lockTimeout = Duration.seconds(2)
    /// The same for a part of a batch that has waited so long already.
    static let partLockTimeout = Duration.milliseconds(50)
    static let statementTimeout = Duration.seconds(10)
    /// How long a batch's transaction may take altogether, as its writer sees it: the server's own time-out first, then this.
    static let transactionTimeout = Duration.seconds(12)
    /// How long a batch's transaction may wait for the decision, which takes milliseconds: a writer that was stopped must not keep the
    /// wallets of others locked.
    static let idleTimeout = Duration.seconds(5)

    /// What a batch decides on.
    struct Locked {
        var wallets: [WalletID: WalletState]
        var keys: [UUID: IdempotencyRecord<RecordedOutcome>]
        var refunded: [TransferID: Int64]
        var holds: [HoldID: HoldState]
        var references: [LedgerBatch.Reference: TransferID]
        /// The server's clock after the last lock.
        var clock: Timestamp
    }

    /// Begins the batch's transaction: locks its wallets in the order of ids, then reads what only those locks make certain.
    ///
    /// The reads are statements of their own, because one that waited for a lock still sees what was there before it waited.
    /// - Parameter meanwhile: runs while the server works on it.
    func lock(
        _ session: PostgresSession, _ requests: [PostingRequest], lockTimeout: Duration, meanwhile: () -> Void
    ) throws -> Locked {
        var walletIDs = Set<UUID>()
        var originals = Set<UUID>()
        var holds = Set<UUID>()
        var references: [LedgerBatch.Reference] = []
        for request in requests {
            let order = request.order
            for id in order.walletIDs { walletIDs.insert(id.uuid) }
            if let original = order.original { originals.insert(original.id.uuid) }
            if let hold = order.holdID { holds.insert(hold.uuid) }
            for text in order.references { references.append(.init(principal: order.access?.principal ?? "", text: text)) }
        }
        var queries: [PostgresQuery] = [
            "SELECT \(unsafeSQL: WalletState.columns) FROM wallets WHERE id = ANY(\(Array(walletIDs))) ORDER BY id FOR NO KEY UPDATE",
            """
            SELECT \(unsafeSQL: Self.keyColumns), \(unsafeSQL: idempotencyColumns)
            FROM (SELECT \(unsafeSQL: PostingTimes.clockExpression) AS now) clock LEFT JOIN idempotency_keys ON id = ANY(\(requests.compactMap(\.key?.id)))
            """,
        ]
        if !originals.isEmpty {
            queries.append("SELECT transfer_id, refunded FROM refund_totals WHERE transfer_id = ANY(\(Array(originals)))")
        }
        if !holds.isEmpty {
            queries.append("SELECT \(unsafeSQL: HoldState.columns) FROM holds WHERE id = ANY(\(Array(holds)))")
        }
        if !references.isEmpty {
            queries.append(
                """
                SELECT t.ordered_by, t.reference, t.id
                FROM unnest(\(references.map(\.principal.string)), \(references.map(\.text.string))) r (ordered_by, reference)
                JOIN transfers t ON t.ordered_by = r.ordered_by AND t.reference = r.reference
                """)
        }
        let options = TransactionOptions(statementTimeout: Self.statementTimeout, lockTimeout: lockTimeout, idleTimeout: Self.idleTimeout)
        var results = try session.begin(options, then: queries, meanwhile: meanwhile)[...]
        var locked = Locked(
            wallets: [:], keys: [:], refunded: [:], holds: [:], references: [:], clock: Timestamp(microsecondsSinceUnixEpoch: 0))
        for row in results.removeFirst() {
            let wallet = try WalletState(row: row)
            locked.wallets[wallet.id] = wallet
        }
        let keys = results.removeFirst()
        for row in keys {
            let (now, id) = try row.decode(Self.keyColumns)
            locked.clock = Timestamp(now)
            if let id { locked.keys[id] = try IdempotencyRecord(row: row.after(Self.keyColumns)) }
        }
        if !originals.isEmpty {
            for row in results.removeFirst() {
                let (id, refunded) = try row.decode(UUID.self, Int64.self)
                locked.refunded[TransferID(id)] = refunded
            }
        }
        if !holds.isEmpty {
            for row in results.removeFirst() {
                let hold = try HoldState(row: row)
                locked.holds[hold.terms.id] = hold
            }
        }
        if !references.isEmpty {
            for row in results.removeFirst() {
                let (principal, text, id) = try row.decode(String.self, String.self, UUID.self)
                locked.references[.init(principal: principal, text: text)] = TransferID(id)
            }
        }
        return locked
    }

    /// One row at least; those without an id have no key.
    private static let keyColumns = PostgresColumns(("clock.now", PostgresTimestamp.self), ("id", UUID?.self))

    /// The times of the last entries of these wallets, under their locks; a wallet without an entry is not among them.
    func lastEntryTimes(_ session: PostgresSession, _ wallets: [WalletID]) throws -> [WalletID: Timestamp] {
        let rows = try session.query(
            """
            SELECT w.id, e.posted_at FROM unnest(\(wallets.map(\.uuid))) w (id),
                LATERAL (SELECT posted_at FROM entries WHERE wallet_id = w.id ORDER BY version DESC LIMIT 1) e
            """)
        return try Dictionary(
            uniqueKeysWithValues: rows.map { row in
                let (wallet, postedAt) = try row.decode(UUID.self, PostgresTimestamp.self)
                return (WalletID(wallet), Timestamp(postedAt))
            })
    }

    /// Writes and commits, in one round trip.
    func commit(_ session: PostgresSession, _ write: BatchWrite) throws {
        if write.isEmpty {
            try session.commit()
        } else {
            try session.commit(after: [write.query])
        }
    }

    /// Postings by id, as they were decided.
    func postings(_ session: PostgresSession, _ ids: [TransferID]) throws -> [TransferID: Posting] {
        var found: [TransferID: Posting] = [:]
        let rows = try session.query(
            """
            SELECT \(unsafeSQL: Posting.columns)
            FROM transfers t
            JOIN entries s ON s.wallet_id = t.source_wallet_id AND s.version = t.source_version
            JOIN entries d ON d.wallet_id = t.destination_wallet_id AND d.version = t.destination_version
            WHERE t.id = ANY(\(ids.map(\.uuid)))
            """)
        for row in rows {
            let posting = try Posting(row: row)
            found[posting.transferID] = posting
        }
        return found
    }
}

extension Posting {
    /// A transfer `t` with its entries, debit `s` and credit `d`.
    fileprivate static let columns = PostgresColumns(
        ("t.id", UUID.self), ("t.kind", Int16.self), ("t.amount", Int64.self), ("t.currency", String.self), ("t.posted_at", PostgresTimestamp.self),
        ("t.original_id", UUID?.self), ("t.hold_id", UUID?.self), ("t.reference", String?.self),
        ("s.wallet_id", UUID.self), ("s.version", Int64.self), ("s.balance_after", Int64.self), ("s.posted_at", PostgresTimestamp.self),
        ("d.wallet_id", UUID.self), ("d.version", Int64.self), ("d.balance_after", Int64.self), ("d.posted_at", PostgresTimestamp.self))

    fileprivate init(row: PostgresRow) throws {
        let (
            id, kind, amount, currency, postedAt, originalID, holdID, reference,
            source, sourceVersion, sourceBalance, debitedAt, destination, destinationVersion, destinationBalance, creditedAt
        ) = try row.decode(Self.columns)
        let money = try Money(stored: amount, Currency(stored: currency, table: "transfers"))
        self.init(
            transferID: TransferID(id), kind: try PostingKind(stored: kind), money: money,
            originalTransferID: originalID.map { TransferID($0) }, holdID: holdID.map { HoldID($0) }, reference: reference,
            debit: PostingLeg(
                walletID: WalletID(source), walletVersion: sourceVersion, amountMinor: -money.amountMinor, balanceAfterMinor: sourceBalance,
                postedAt: Timestamp(debitedAt)),
            credit: PostingLeg(
                walletID: WalletID(destination), walletVersion: destinationVersion, amountMinor: money.amountMinor,
                balanceAfterMinor: destinationBalance, postedAt: Timestamp(creditedAt)),
            postedAt: Timestamp(postedAt))
    }
}
