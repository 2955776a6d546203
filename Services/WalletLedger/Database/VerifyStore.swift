import Contracts
import FoundationEssentials
import Idempotency
import Outbox
import Postgres
import ServiceDatabase

/// The SQL of `verify`: pages by key, all within the caller's snapshot.
struct VerifyStore {
    private static let pageSize: Int64 = 5_000

    struct Page {
        let first: UUID
        let last: UUID
        let count: Int
    }

    func walletPage(_ session: PostgresSession, after last: UUID?) throws -> Page? {
        let (first, last, count) = try session.query(
            """
            SELECT min(id::text)::uuid, max(id::text)::uuid, count(*) FROM (
                SELECT id FROM wallets WHERE \(last)::uuid IS NULL OR id > \(last) ORDER BY id LIMIT \(Self.pageSize)) page
            """)[0].decode(UUID?.self, UUID?.self, Int64.self)
        guard let first, let last else { return nil }
        return Page(first: first, last: last, count: Int(count))
    }

    /// Entries that do not follow the one before, or are no leg of their transfer.
    func entryFindings(_ session: PostgresSession, from first: UUID, to last: UUID) throws -> [VerifyFinding] {
        try session.query(
            """
            SELECT e.wallet_id, e.version FROM (
                SELECT *, lag(balance_after) OVER chain AS previous, lag(posted_at) OVER chain AS previous_at
                FROM entries WHERE wallet_id BETWEEN \(first) AND \(last)
                WINDOW chain AS (PARTITION BY wallet_id ORDER BY version)
            ) e
            LEFT JOIN transfers t ON t.id = e.transfer_id
            LEFT JOIN wallets w ON w.id = e.wallet_id
            WHERE NOT coalesce(
                e.balance_after = coalesce(e.previous, 0) + e.amount
                AND e.posted_at >= coalesce(e.previous_at, e.posted_at) AND t.currency = w.currency
                -- A wallet that was ahead of the clock kept its last entry's time.
                AND (e.posted_at = t.posted_at OR e.posted_at > t.posted_at AND e.posted_at = coalesce(e.previous_at, w.opened_at))
                AND ((e.amount = -t.amount AND e.wallet_id = t.source_wallet_id AND e.version = t.source_version)
                    OR (e.amount = t.amount AND e.wallet_id = t.destination_wallet_id AND e.version = t.destination_version)), false)
            ORDER BY 1, 2 LIMIT \(Int64(VerifyLedger.maximumFindings))
            """
        ).map { row in
            let (wallet, version) = try row.decode(UUID.self, Int64.self)
            return VerifyFinding(
                kind: .entry, row: "\(WalletID(wallet))/\(version)",
                text: "does not follow the entry before it, or is no leg of its transfer")
        }
    }

    /// Wallets whose balance is not the sum of their entries, whose holds do not add up, or whose versions have a gap.
    func balanceFindings(_ session: PostgresSession, from first: UUID, to last: UUID) throws -> [VerifyFinding] {
        try session.query(
            """
            SELECT w.id FROM wallets w
            LEFT JOIN (
                SELECT wallet_id, sum(amount) AS total, count(*) AS steps, max(version) AS newest
                FROM entries WHERE wallet_id BETWEEN \(first) AND \(last) GROUP BY 1
            ) e ON e.wallet_id = w.id
            LEFT JOIN (
                SELECT wallet_id, count(*) AS steps, max(version) AS newest
                FROM wallet_changes WHERE wallet_id BETWEEN \(first) AND \(last) GROUP BY 1
            ) c ON c.wallet_id = w.id
            LEFT JOIN (
                SELECT wallet_id, count(*) FILTER (WHERE kind <> 2) AS steps, max(version) AS newest,
                    sum(placed - captured - released) AS held
                FROM hold_changes WHERE wallet_id BETWEEN \(first) AND \(last) GROUP BY 1
            ) h ON h.wallet_id = w.id
            WHERE w.id BETWEEN \(first) AND \(last) AND NOT (
                w.balance = coalesce(e.total, 0) AND w.held = coalesce(h.held, 0)
                AND w.version = coalesce(e.steps, 0) + coalesce(c.steps, 0) + coalesce(h.steps, 0)
                AND w.version = greatest(coalesce(e.newest, 0), coalesce(c.newest, 0), coalesce(h.newest, 0))
                AND (w.is_world OR w.balance - w.held >= -w.overdraft_limit)
                AND NOT EXISTS (SELECT FROM wallet_changes x JOIN entries y USING (wallet_id, version) WHERE x.wallet_id = w.id))
            ORDER BY 1 LIMIT \(Int64(VerifyLedger.maximumFindings))
            """
        ).map { row in
            VerifyFinding(
                kind: .balance, row: WalletID(try row.decode(UUID.self)).description,
                text: "is not the sum of the wallet's entries, its holds do not add up, or its versions have a gap")
        }
    }

    /// Kept sums of entries, from which statements take their totals, that are not the sums of those entries.
    func statementFindings(_ session: PostgresSession, from first: UUID, to last: UUID) throws -> [VerifyFinding] {
        try session.query(
            """
            SELECT t.wallet_id, t.block FROM entry_totals t,
                LATERAL sum_of_entries(t.wallet_id, t.block * 1024 - 1, t.block * 1024 + 1023) s
            WHERE t.wallet_id BETWEEN \(first) AND \(last) AND NOT (t.credits = s.credits AND t.debits = s.debits)
            ORDER BY 1, 2 LIMIT \(Int64(VerifyLedger.maximumFindings))
            """
        ).map { row in
            let (wallet, block) = try row.decode(UUID.self, Int64.self)
            return VerifyFinding(
                kind: .statement, row: "\(WalletID(wallet))/\(block)", text: "the block's kept totals are not the sums of its entries")
        }
    }

    /// Wallets in a currency that is in no list of ISO 4217. They are read and answered like all others.
    func currencyFindings(_ session: PostgresSession, from first: UUID, to last: UUID) throws -> [VerifyFinding] {
        try session.query(
            """
            SELECT id, currency FROM wallets WHERE id BETWEEN \(first) AND \(last) AND currency <> ALL(\(Currency.all.map(\.code)))
            ORDER BY id LIMIT \(Int64(VerifyLedger.maximumFindings))
            """
        ).map { row in
            let (wallet, currency) = try row.decode(UUID.self, String.self)
            return VerifyFinding(kind: .currency, row: WalletID(wallet).description, text: "has a currency that nobody knows, \(currency)")
        }
    }

    func transferPage(_ session: PostgresSession, after last: UUID?) throws -> [(id: TransferID, fits: Bool)] {
        try session.query(
            """
            SELECT t.id, coalesce(s.transfer_id = t.id AND s.amount = -t.amount AND d.transfer_id = t.id AND d.amount = t.amount, false)
            FROM (SELECT * FROM transfers WHERE \(last)::uuid IS NULL OR id > \(last) ORDER BY id LIMIT \(Self.pageSize)) t
            LEFT JOIN entries s ON s.wallet_id = t.source_wallet_id AND s.version = t.source_version
            LEFT JOIN entries d ON d.wallet_id = t.destination_wallet_id AND d.version = t.destination_version
            ORDER BY t.id
            """
        ).map { row in
            let (id, fits) = try row.decode(UUID.self, Bool.self)
            return (TransferID(id), fits)
        }
    }

    func keyPage(_ session: PostgresSession, after last: UUID?) throws -> [KeyRow] {
        try session.query(
            """
            SELECT \(unsafeSQL: idempotencyColumns), \(unsafeSQL: Self.keyColumns), \(unsafeSQL: KeyedTransfer.columns)
            FROM (SELECT * FROM idempotency_keys WHERE \(last)::uuid IS NULL OR id > \(last) ORDER BY id LIMIT \(Self.pageSize)) k
            LEFT JOIN transfers t ON k.outcome = 1 AND t.id = k.subject_id
            ORDER BY k.id
            """
        ).map { row in
            let record = try IdempotencyRecord<RecordedOutcome>(row: row)
            let keyRow = row.after(idempotencyColumns)
            let (id, caller, principal, key, subjectExists, hasTransfer) = try keyRow.decode(Self.keyColumns)
            return KeyRow(
                id: id, caller: caller, principal: principal, key: key, fingerprint: record.fingerprint, outcome: record.outcome,
                transfer: hasTransfer ? try KeyedTransfer(row: keyRow.after(Self.keyColumns)) : nil, subjectExists: subjectExists)
        }
    }

    private static let keyColumns = PostgresColumns(
        ("k.id", UUID.self), ("k.caller", String.self), ("k.principal", String.self), ("k.key", String.self),
        (
            """
            CASE k.outcome
                WHEN 2 THEN EXISTS (SELECT FROM wallets w WHERE w.id = k.subject_id)
                WHEN 3 THEN EXISTS (SELECT FROM wallet_changes c WHERE c.wallet_id = k.subject_id AND c.version = k.subject_version)
                WHEN 7 THEN EXISTS (SELECT FROM holds h WHERE h.id = k.subject_id)
                WHEN 8 THEN EXISTS (SELECT FROM hold_changes h WHERE h.hold_id = k.subject_id AND h.kind = 3)
                ELSE true END
            """, Bool.self
        ),
        ("t.id IS NOT NULL", Bool.self))

    /// Events with whether they say what their posting's rows say; events of wallets only need their wallet.
    func eventPage(_ session: PostgresSession, after last: Int64) throws -> [(id: Int64, subject: String, fits: Bool)] {
        let rows = try session.query(
            """
            SELECT \(unsafeSQL: StoredEvent.columns) FROM outbox_events WHERE id > \(last) ORDER BY id LIMIT \(Self.pageSize)
            """)
        let events = try rows.map(StoredEvent.init(row:))
        let postings = try BatchStore().postings(session, events.compactMap { TransferID($0.subject) })
        let changes = try HoldStore().changes(session, of: Array(Set(events.compactMap { HoldID($0.subject) })))
        return events.map { stored in
            let fits =
                if let id = TransferID(stored.subject) {
                    postings[id].map { stored.fits($0) } ?? false
                } else if HoldID(stored.subject) != nil {
                    changes[stored.eventID].map { stored.fits($0) } ?? false
                } else {
                    stored.partition == stored.subject && WalletID(stored.subject) != nil
                }
            return (stored.id, stored.subject, fits)
        }
    }

    /// An event that the outbox no longer keeps was published, and is not missed.
    func transfersWithoutEvent(_ session: PostgresSession) throws -> [TransferID] {
        try session.query(
            """
            SELECT t.id FROM transfers t
            LEFT JOIN outbox_events o ON o.event_id = transfer_event_id(t.id)
            WHERE o.id IS NULL AND t.posted_at >= (SELECT deleted_before FROM outbox_retention) ORDER BY 1 LIMIT \(Int64(VerifyLedger.maximumFindings))
            """
        ).map { row in TransferID(try row.decode(UUID.self)) }
    }

    func refundFindings(_ session: PostgresSession) throws -> [VerifyFinding] {
        try session.query(
            """
            SELECT coalesce(r.transfer_id, x.original_id) FROM refund_totals r
            FULL JOIN (SELECT original_id, sum(amount) AS total FROM transfers WHERE original_id IS NOT NULL GROUP BY 1) x
                ON x.original_id = r.transfer_id
            LEFT JOIN transfers o ON o.id = coalesce(r.transfer_id, x.original_id)
            WHERE NOT coalesce(r.refunded = x.total AND r.amount = o.amount AND x.total <= o.amount, false)
            LIMIT \(Int64(VerifyLedger.maximumFindings))
            """
        ).map { row in
            VerifyFinding(kind: .refund, row: TransferID(try row.decode(UUID.self)).description, text: "its refunds do not add up")
        }
    }

    /// Holds that their changes do not add up to, and changes that no event tells.
    func holdFindings(_ session: PostgresSession) throws -> [VerifyFinding] {
        try session.query(
            """
            SELECT id FROM (
                SELECT h.id FROM holds h WHERE NOT hold_fits(h)
                UNION
                SELECT c.hold_id FROM hold_changes c
                LEFT JOIN outbox_events o ON o.event_id = c.event_id LEFT JOIN holds h ON h.id = c.hold_id
                LEFT JOIN transfers t ON t.id = c.transfer_id
                WHERE (o.id IS NULL AND c.changed_at >= (SELECT deleted_before FROM outbox_retention)) OR h.id IS NULL
                    OR (c.kind = 2 AND (t.amount, t.hold_id, t.source_wallet_id, t.source_version)
                        IS DISTINCT FROM (c.captured, c.hold_id, c.wallet_id, c.version))
            ) wrong ORDER BY 1 LIMIT \(Int64(VerifyLedger.maximumFindings))
            """
        ).map { row in
            VerifyFinding(
                kind: .hold, row: HoldID(try row.decode(UUID.self)).description,
                text: "is not what its changes made of it, or one of them has no event")
        }
    }

    /// How many wallets' last times lie further after the clock than clocks may differ, and the latest of them.
    func walletsAhead(_ session: PostgresSession) throws -> (count: Int, until: Timestamp?) {
        let (count, until) = try session.query(
            "SELECT count(*), max(last_posted_at) FROM wallets WHERE last_posted_at > clock_timestamp() + interval '10 seconds'")[0]
            .decode(Int64.self, PostgresTimestamp?.self)
        return (Int(count), until.map { Timestamp($0) })
    }

    /// With the world outside, every currency adds up to zero.
    func totalFindings(_ session: PostgresSession) throws -> [VerifyFinding] {
        try session.query("SELECT currency, sum(balance)::text FROM wallets GROUP BY 1 HAVING sum(balance) <> 0 ORDER BY 1").map { row in
            let (currency, sum) = try row.decode(String.self, String.self)
            return VerifyFinding(kind: .total, row: currency, text: "all wallets add up to \(sum), not to 0")
        }
    }
}
