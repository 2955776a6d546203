import Contracts
import FoundationEssentials
import Outbox
import Postgres

/// The SQL of debits: what arrived lately, by wallet and time.
struct DebitStore {
    /// The first key of the advisory locks by which consumers line up at a wallet; the letters RISK. The second is from the wallet's id.
    private static let lockSpace: Int32 = 0x5249_534B

    /// Locks the debits' wallets, notes the debits, and reads what the rule needs to know of stretches of time; one round trip.
    ///
    /// - Returns: per stretch without an alert in which there are debits, those that ``VelocityRule/firstMatch(in:among:)`` asks for.
    /// - Throws: `PostgresError`, ``UnreadableRow``.
    func record(
        _ session: PostgresSession, _ debits: [CustomerDebit], reading windows: [DebitWindow], _ rule: VelocityRule
    ) throws -> [DebitWindow: [CustomerDebit]] {
        let results = try session.pipeline([lockQuery(debits), insertQuery(debits), historyQuery(windows, rule)])
        var histories: [DebitWindow: [CustomerDebit]] = [:]
        for row in results[2] {
            let place = try row.after(CustomerDebit.columns).decode(Int64.self)
            let window = windows[Int(place) - 1]
            histories[window, default: []].append(try CustomerDebit(row: row, wallet: window.walletID))
        }
        return histories
    }

    /// In the order of the keys, for everybody the same. Two wallets with one key only wait for each other.
    private func lockQuery(_ debits: [CustomerDebit]) -> PostgresQuery {
        // The lowest bits of a UUIDv7 are random.
        let keys = Set(debits.map { Int32(truncatingIfNeeded: $0.walletID.uuid.halves.low) }).sorted()
        return "SELECT pg_advisory_xact_lock(\(Self.lockSpace), key) FROM unnest(\(keys)) AS key"
    }

    private func insertQuery(_ debits: [CustomerDebit]) -> PostgresQuery {
        """
        INSERT INTO customer_debits (wallet_id, occurred_at, transfer_id, amount, currency)
        SELECT * FROM unnest(\(debits.map(\.walletID.uuid)), \(debits.map(\.occurredAt.stored)), \(debits.map(\.transferID.uuid)),
            \(debits.map(\.money.amountMinor)), \(debits.map(\.money.currency.code)))
        ON CONFLICT DO NOTHING
        """
    }

    /// A statement of its own, after the locks: its snapshot has what others committed before they gave them up.
    ///
    /// Of a stretch with its alert nothing is read, and never more than the limit twice of another, so a wallet that pays a thousand times
    /// a second costs what any other does. LATERAL with LIMIT leaves no other plan than look-ups by index.
    private func historyQuery(_ windows: [DebitWindow], _ rule: VelocityRule) -> PostgresQuery {
        let limit = Int64(rule.limit)
        return """
            SELECT \(unsafeSQL: CustomerDebit.columns), w.place
            FROM unnest(\(windows.map(\.walletID.uuid)), \(windows.map(\.start.stored))) WITH ORDINALITY AS w (wallet_id, starts_at, place)
            CROSS JOIN (SELECT make_interval(secs => \(Double(rule.windowSeconds))) AS length) rule
            LEFT JOIN LATERAL (
                SELECT true AS is_raised FROM risk_alerts a
                WHERE a.rule = \(RiskRule.velocity.stored) AND a.wallet_id = w.wallet_id AND a.window_start = w.starts_at
                    AND a.window_seconds = \(rule.windowSeconds) LIMIT 1
            ) a ON true
            CROSS JOIN LATERAL (
                SELECT FROM customer_debits c
                WHERE c.wallet_id = w.wallet_id AND c.occurred_at >= w.starts_at AND c.occurred_at < w.starts_at + rule.length LIMIT 1
            ) any_in_it
            CROSS JOIN LATERAL (
                (SELECT * FROM customer_debits c
                WHERE c.wallet_id = w.wallet_id AND c.occurred_at >= w.starts_at AND c.occurred_at < w.starts_at + rule.length
                ORDER BY c.occurred_at, c.transfer_id LIMIT \(limit + 1))
                UNION ALL
                (SELECT * FROM customer_debits c
                WHERE c.wallet_id = w.wallet_id AND c.occurred_at < w.starts_at AND c.occurred_at > w.starts_at - rule.length
                ORDER BY c.occurred_at DESC, c.transfer_id DESC LIMIT \(limit))
            ) d
            WHERE a.is_raised IS NULL
            """
    }

    /// How many debits of a wallet there are in the window that ends with each of these, which is included.
    ///
    /// - Throws: `PostgresError`.
    func counts(_ session: PostgresSession, endingWith debits: [CustomerDebit], _ rule: VelocityRule) throws -> [Int64] {
        try session.query(
            """
            SELECT found.count
            FROM unnest(\(debits.map(\.walletID.uuid)), \(debits.map(\.occurredAt.stored))) WITH ORDINALITY AS e (wallet_id, ends_at, place)
            CROSS JOIN LATERAL (
                SELECT count(*) FROM customer_debits c
                WHERE c.wallet_id = e.wallet_id AND c.occurred_at <= e.ends_at
                    AND c.occurred_at > e.ends_at - make_interval(secs => \(Double(rule.windowSeconds)))
            ) found
            ORDER BY e.place
            """
        ).map { row in try row.decode(Int64.self) }
    }

    /// Deletes debits that are too old, the oldest first.
    ///
    /// - Returns: how many.
    /// - Throws: `PostgresError`.
    func prune(_ session: PostgresSession, _ retention: DebitRetention, atMost limit: Int32) throws -> Int {
        let result = try session.query("SELECT prune_customer_debits(make_interval(secs => \(Double(retention.seconds))), \(limit))")
        return Int(try result[0].decode(Int32.self))
    }
}
