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
            SELECT \(unsafeSQL: IdempotencyRecord<RecordedOutcome>.columns), clock.now
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
        locked.clock = Timestamp(try keys[0].decode("now", as: PostgresTimestamp.self))
        for row in keys {
            guard let id = try row.decodeIfPresent(0, as: UUID.self) else { continue }
            locked.keys[id] = try IdempotencyRecord(row: row)
        }
        if !originals.isEmpty {
            for row in results.removeFirst() { locked.refunded[TransferID(try row.decode(0, as: UUID.self))] = try row.decode(1) }
        }
        if !holds.isEmpty {
            for row in results.removeFirst() {
                let hold = try HoldState(row: row)
                locked.holds[hold.terms.id] = hold
            }
        }
        if !references.isEmpty {
            for row in results.removeFirst() {
                locked.references[.init(principal: try row.decode(0), text: try row.decode(1))] = TransferID(
                    try row.decode(2, as: UUID.self))
            }
        }
        return locked
    }

    /// The times of the last entries of these wallets, under their locks; a wallet without an entry is not among them.
    func lastEntryTimes(_ session: PostgresSession, _ wallets: [WalletID]) throws -> [WalletID: Timestamp] {
        let rows = try session.query(
            """
            SELECT w.id, e.posted_at FROM unnest(\(wallets.map(\.uuid))) w (id),
                LATERAL (SELECT posted_at FROM entries WHERE wallet_id = w.id ORDER BY version DESC LIMIT 1) e
            """)
        return try Dictionary(
            uniqueKeysWithValues: rows.map { row in
                (WalletID(try row.decode(0, as: UUID.self)), Timestamp(try row.decode(1, as: PostgresTimestamp.self)))
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
            SELECT t.id, t.kind, t.amount, t.currency, t.source_wallet_id, t.source_version, s.balance_after,
                t.destination_wallet_id, t.destination_version, d.balance_after, t.original_id, t.reference, t.posted_at, t.hold_id,
                s.posted_at, d.posted_at
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
    fileprivate init(row: PostgresRow) throws {
        let money = try Money(stored: row.decode(2), Currency(stored: row.decode(3), table: "transfers"))
        self.init(
            transferID: TransferID(try row.decode(0, as: UUID.self)), kind: try PostingKind(stored: row.decode(1)), money: money,
            originalTransferID: try row.decodeIfPresent(10, as: UUID.self).map { TransferID($0) },
            holdID: try row.decodeIfPresent(13, as: UUID.self).map { HoldID($0) }, reference: try row.decodeIfPresent(11),
            debit: PostingLeg(
                walletID: WalletID(try row.decode(4, as: UUID.self)), walletVersion: try row.decode(5), amountMinor: -money.amountMinor,
                balanceAfterMinor: try row.decode(6), postedAt: Timestamp(try row.decode(14, as: PostgresTimestamp.self))),
            credit: PostingLeg(
                walletID: WalletID(try row.decode(7, as: UUID.self)), walletVersion: try row.decode(8), amountMinor: money.amountMinor,
                balanceAfterMinor: try row.decode(9), postedAt: Timestamp(try row.decode(15, as: PostgresTimestamp.self))),
            postedAt: Timestamp(try row.decode(12, as: PostgresTimestamp.self)))
    }
}
