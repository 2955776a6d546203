import Contracts
import FoundationEssentials
import Outbox
import Postgres

/// The SQL of answers about the past. Each query is a value, so that the test of their plans explains the very ones that run.
struct HistoryStore {
    /// How long before now a time must lie for an answer about it.
    ///
    /// A batch takes its posting time after its last lock; then it may wait for the decision (``BatchStore/idleTimeout``) and write
    /// (``BatchStore/statementTimeout``) before what it posted is seen. By then it has ended in all but the rarest cases, a commit that
    /// waits for a stalled disk among them: those ``Settled/openSince`` finds, so that no answer rests on this bound alone.
    static let settlingTime = BatchStore.idleTimeout + BatchStore.statementTimeout
    /// The most entries that one page with a filter looks at: few of them may fit.
    static let scanLimit = 500
    /// Who posts, under this name or as a login that is a member of it.
    private static let servingRole = ServiceRoles(service: "wallet-ledger").serving
    /// Blocks of 1024 entries that are summed up in one statement when a statement's totals are asked for the first time.
    static let blocksPerRound: Int32 = 64

    /// What of the past is final, by the database's own clock.
    struct Settled {
        let now: Timestamp
        /// When the oldest transaction began that writes and has not ended; what it posts has this time or a later one.
        let openSince: Timestamp?

        /// What was posted before this can't change any more.
        var final: Timestamp { min(now, openSince ?? now) }
    }

    /// - Important: what it says holds for statements that begin after it has answered.
    ///
    /// A batch has its transaction id by its first lock, and takes its posting time after its last. So one that is not among those
    /// open here has ended, and is seen by every later statement, or its posting time is still to come. Only the serving role posts,
    /// and of its own transactions a role sees the begin; of those of another login that is a member of it only with `pg_read_all_stats`
    /// (`k8s/README.md`), and without that an open one holds every answer up.
    ///
    /// Of the function behind `pg_stat_activity`: the view's joins cost three times as much to plan as all the rest.
    var settledQuery: PostgresQuery {
        """
        SELECT clock_timestamp(), (
            SELECT min(coalesce(xact_start, '-infinity')) FROM pg_stat_get_activity(NULL)
            WHERE backend_xid IS NOT NULL
                AND (usesysid = quote_ident(current_user)::regrole OR (
                    pg_has_role(usesysid, '\(unsafeSQL: Self.servingRole)', 'USAGE') AND NOT (SELECT rolsuper FROM pg_roles WHERE oid = usesysid)))
                AND datid = (SELECT oid FROM pg_database WHERE datname = current_database()))
        """
    }

    func settled(_ row: PostgresRow) throws -> Settled {
        let (now, openSince) = try row.decode(PostgresTimestamp.self, PostgresTimestamp?.self)
        return Settled(now: Timestamp(now), openSince: openSince.map { Timestamp($0) })
    }

    func walletQuery(_ id: WalletID) -> PostgresQuery {
        "SELECT \(unsafeSQL: WalletState.columns) FROM wallets WHERE id = \(id.uuid)"
    }

    /// The wallet's last entry before a time; version and balance are 0 where there is none.
    func lastEntryQuery(_ wallet: WalletID, before time: Timestamp) -> PostgresQuery {
        "SELECT last_version, last_balance FROM last_entry_before(\(wallet.uuid), \(time.stored))"
    }

    func lastEntry(_ row: PostgresRow) throws -> LastEntry {
        let (version, balance) = try row.decode(Int64.self, Int64.self)
        return LastEntry(version: version, balanceMinor: balance)
    }

    func totalsQuery(_ wallet: WalletID, after first: Int64, upTo last: Int64) -> PostgresQuery {
        "SELECT credits::text, debits::text, missing FROM statement_totals(\(wallet.uuid), \(first), \(last), \(Self.blocksPerRound))"
    }

    /// Credits and debits after one version, up to that of another entry.
    ///
    /// - Returns: nil where sums of blocks are missing that this server may not make.
    func totals(
        _ session: PostgresSession, _ wallet: WalletID, after first: Int64, upTo last: Int64
    ) throws -> (credits: Int128, debits: Int128)? {
        var missing = Int64.max
        while true {
            let (creditText, debitText, left) = try session.query(totalsQuery(wallet, after: first, upTo: last))[0]
                .decode(String?.self, String?.self, Int64.self)
            if left == 0 {
                guard let credits = creditText.flatMap({ Int128($0) }), let debits = debitText.flatMap({ Int128($0) }) else {
                    throw UnreadableRow(table: "entry_totals")
                }
                return (credits, debits)
            }
            guard left < missing else { return nil }
            missing = left
        }
    }

    /// Entries after a version and up to another, oldest first.
    func entriesQuery(_ wallet: WalletID, after first: Int64, upTo last: Int64, limit: Int) -> PostgresQuery {
        """
        SELECT \(unsafeSQL: Self.entryColumns)
        FROM oldest_entries(\(wallet.uuid), \(first), \(last), \(Int64(limit)))
        """
    }

    /// Entries after a version and before another, newest first.
    func latestEntriesQuery(_ wallet: WalletID, after first: Int64, before last: Int64, limit: Int) -> PostgresQuery {
        """
        SELECT \(unsafeSQL: Self.entryColumns)
        FROM latest_entries(\(wallet.uuid), \(first), \(last), \(Int64(limit)))
        """
    }

    /// The same for one kind of posting: those among the latest ``scanLimit`` entries that are of it, and the last one looked at in any
    /// case; ``scannedEntry(_:_:)`` reads them.
    func latestEntriesQuery(_ wallet: WalletID, kind: PostingKind, after first: Int64, before last: Int64) -> PostgresQuery {
        """
        WITH scanned AS MATERIALIZED (
            SELECT *, (SELECT t.kind FROM transfers t WHERE t.id = e.transfer_id) AS kind
            FROM latest_entries(\(wallet.uuid), \(first), \(last), \(Int64(Self.scanLimit))) e
        ), looked AS (
            SELECT count(*) AS count, min(version) AS last FROM scanned
        )
        SELECT \(unsafeSQL: Self.entryColumns), kind = \(kind.stored), looked.count
        FROM scanned, looked WHERE kind = \(kind.stored) OR version = looked.last ORDER BY version DESC
        """
    }

    private static let entryColumns = PostgresColumns(
        ("transfer_id", UUID.self), ("version", Int64.self), ("amount", Int64.self), ("balance_after", Int64.self),
        ("posted_at", PostgresTimestamp.self))

    func entry(_ wallet: WalletID, _ row: PostgresRow) throws -> EntryBody {
        let (transferID, version, amount, balanceAfter, postedAt) = try row.decode(Self.entryColumns)
        let transfer = TransferID(transferID)
        return EntryBody(
            id: amount < 0 ? transfer.debitEntryID : transfer.creditEntryID, transferID: transfer, walletID: wallet, walletVersion: version,
            amountMinor: amount, balanceAfterMinor: balanceAfter, postedAt: Timestamp(postedAt))
    }

    /// An entry with whether it is of the kind, and how many were looked at.
    func scannedEntry(_ wallet: WalletID, _ row: PostgresRow) throws -> (entry: EntryBody, isOfKind: Bool, scanned: Int64) {
        let (isOfKind, scanned) = try row.after(Self.entryColumns).decode(Bool.self, Int64.self)
        return (try entry(wallet, row), isOfKind, scanned)
    }
}

/// Where a wallet stood at some time.
struct LastEntry: Hashable {
    let version: Int64
    let balanceMinor: Int64
}
