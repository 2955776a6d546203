import Contracts
import FoundationEssentials
import HTTPService
import Idempotency
import Outbox
import Postgres
import ServiceDatabase

/// The SQL of wallets: opening, changes of state, reading.
struct WalletStore {
    func wallet(_ session: PostgresSession, _ id: WalletID) throws -> WalletState? {
        try session.query("SELECT \(unsafeSQL: WalletState.columns) FROM wallets WHERE id = \(id.uuid)").first.map(WalletState.init(row:))
    }

    /// Locks the row as a batch does.
    func lockWallet(_ session: PostgresSession, _ id: WalletID) throws -> WalletState? {
        try session.query("SELECT \(unsafeSQL: WalletState.columns) FROM wallets WHERE id = \(id.uuid) FOR NO KEY UPDATE").first
            .map(WalletState.init(row:))
    }

    /// The server's clock, where it can be believed.
    ///
    /// - Throws: ``ClockDisagreement``; `PostgresError`.
    func clock(_ session: PostgresSession, _ witness: ClockWitness) throws -> Timestamp {
        let askedAt = witness.willAsk()
        let clock = Timestamp(try session.query("SELECT \(unsafeSQL: PostingTimes.clockExpression)")[0].decode(PostgresTimestamp.self))
        try witness.check(clock, askedAt: askedAt)
        return clock
    }

    /// Whether the owner has so many wallets that are not closed, under a lock by which two openings for one owner wait for each other.
    func hasAsMany(_ session: PostgresSession, _ owner: UserID, as limit: Int) throws -> Bool {
        _ = try session.query("SELECT pg_advisory_xact_lock(hashtextextended('wallets of ' || \(owner.uuid)::text, 0))")
        // A statement of its own: one that waited for the lock would not see what was opened meanwhile.
        return try session.query(
            "SELECT count(*) = \(Int64(limit)) FROM (SELECT FROM wallets WHERE owner_id = \(owner.uuid) AND status <> 3 LIMIT \(Int64(limit))) w"
        )[0].decode(Bool.self)
    }

    func insertWallet(_ session: PostgresSession, _ wallet: WalletOpenedBody) throws {
        let at = wallet.openedAt.stored
        try session.execute(
            """
            INSERT INTO wallets (id, owner_id, opened_by, currency, is_world, opened_at, last_posted_at)
            SELECT id, NULL, \(WorldWallet.opener), \(wallet.currency.code), true, \(at), \(at)
            FROM unnest(\(WorldWallet.all(of: wallet.currency).map(\.uuid))) AS world (id)
            WHERE NOT EXISTS (SELECT FROM wallets w WHERE w.id = world.id)
            ON CONFLICT DO NOTHING
            """)
        try session.execute(
            """
            INSERT INTO wallets (id, owner_id, opened_by, currency, opened_at, last_posted_at)
            VALUES (\(wallet.id.uuid), \(wallet.ownerID?.uuid), \(wallet.openedBy), \(wallet.currency.code), \(at), \(at))
            """)
    }

    func openedWallet(_ wallet: WalletState) -> WalletOpenedBody {
        WalletOpenedBody(
            id: wallet.id, ownerID: wallet.ownerID, openedBy: wallet.openedBy, currency: wallet.currency, openedAt: wallet.openedAt)
    }

    /// Writes the change and the wallet in one statement, so that the triggers of both see both.
    func insertChange(_ session: PostgresSession, _ change: WalletChangeBody, caller: String, changedBy: String) throws {
        let row: PostgresArguments = [
            "wallet_id": change.walletID.uuid, "version": change.version, "kind": change.kind.stored, "status": change.status.stored,
            "overdraft_limit": change.overdraftLimitMinor, "reason": change.reason, "caller": caller, "changed_by": changedBy,
            "changed_at": change.changedAt.stored,
        ]
        try session.execute(
            """
            WITH changed AS (
                UPDATE wallets SET status = \(change.status.stored), overdraft_limit = \(change.overdraftLimitMinor),
                    version = \(change.version), last_posted_at = greatest(last_posted_at, \(change.changedAt.stored))
                WHERE id = \(change.walletID.uuid)
            )
            INSERT INTO wallet_changes (\(unsafeSQL: row.list)) VALUES (\(row))
            """)
    }

    func change(_ session: PostgresSession, _ id: WalletID, version: Int64) throws -> WalletChangeBody? {
        try session.query(
            """
            SELECT kind, status, overdraft_limit, reason, changed_at FROM wallet_changes
            WHERE wallet_id = \(id.uuid) AND version = \(version)
            """
        ).first.map { row in
            let (kind, status, overdraftLimit, reason, changedAt) = try row.decode(
                Int16.self, Int16.self, Int64.self, String.self, PostgresTimestamp.self)
            return WalletChangeBody(
                walletID: id, kind: try WalletChangeKind(stored: kind), status: try WalletStatus(stored: status),
                overdraftLimitMinor: overdraftLimit, version: version, reason: reason, changedAt: Timestamp(changedAt))
        }
    }
}
