import Contracts
import FoundationEssentials
import Outbox
import Postgres

/// The SQL of holds, but for their locks and writes: those are a batch's.
struct HoldStore {
    func hold(_ session: PostgresSession, _ id: HoldID) throws -> HoldState? {
        try session.query("SELECT \(unsafeSQL: HoldState.columns) FROM holds WHERE id = \(id.uuid)").first.map(HoldState.init(row:))
    }

    /// Holds of a wallet before an id, newest first.
    func latestQuery(_ wallet: WalletID, openOnly: Bool, before last: HoldID?, limit: Int) -> PostgresQuery {
        let before = last?.uuid ?? UUID(high: .max, low: .max)
        let function = openOnly ? "latest_open_holds" : "latest_holds"
        return """
            SELECT \(unsafeSQL: HoldState.columns) FROM \(unsafeSQL: function)(\(wallet.uuid), \(before), \(Int64(limit)))
            """
    }

    /// Open holds whose time is over, the oldest first.
    func expired(_ session: PostgresSession, limit: Int) throws -> [HoldTerms] {
        try session.query(
            """
            SELECT \(unsafeSQL: HoldState.columns) FROM holds
            WHERE status = 0 AND expires_at <= clock_timestamp() ORDER BY expires_at LIMIT \(Int64(limit))
            """
        ).map { row in try HoldState(row: row).terms }
    }

    /// Holds as they were placed.
    func placed(_ session: PostgresSession, _ ids: [HoldID]) throws -> [HoldID: HoldState] {
        var found: [HoldID: HoldState] = [:]
        for row in try session.query("SELECT \(unsafeSQL: HoldState.columns) FROM holds WHERE id = ANY(\(ids.map(\.uuid)))") {
            var hold = try HoldState(row: row)
            hold.capturedMinor = 0
            hold.status = .open
            found[hold.terms.id] = hold
        }
        return found
    }

    /// The captures of these transfers.
    func captures(_ session: PostgresSession, _ transfers: [TransferID]) throws -> [TransferID: HoldChange] {
        var found: [TransferID: HoldChange] = [:]
        let rows = try session.query(
            """
            SELECT \(unsafeSQL: HoldChange.columns), \(unsafeSQL: HoldState.columnsAfterChange) FROM transfers t
            JOIN hold_changes c ON c.wallet_id = t.source_wallet_id AND c.version = t.source_version
            JOIN holds h ON h.id = c.hold_id
            WHERE t.id = ANY(\(transfers.map(\.uuid))) AND t.hold_id IS NOT NULL
            """)
        for row in rows {
            let change = try HoldChange(row: row)
            if let transfer = change.transferID { found[transfer] = change }
        }
        return found
    }

    /// Every change of these holds, by its event.
    func changes(_ session: PostgresSession, of ids: [HoldID]) throws -> [EventID: HoldChange] {
        var found: [EventID: HoldChange] = [:]
        let rows = try session.query(
            """
            SELECT \(unsafeSQL: HoldChange.columns), \(unsafeSQL: HoldState.columnsAfterChange)
            FROM hold_changes c JOIN holds h ON h.id = c.hold_id
            WHERE c.hold_id = ANY(\(ids.map(\.uuid)))
            """)
        for row in rows {
            let change = try HoldChange(row: row)
            found[change.eventID] = change
        }
        return found
    }
}

extension HoldState {
    static let columns = PostgresColumns(
        ("id", UUID.self), ("wallet_id", UUID.self), ("destination_wallet_id", UUID.self), ("amount", Int64.self), ("currency", String.self),
        ("placed_by", String.self), ("placed_at", PostgresTimestamp.self), ("expires_at", PostgresTimestamp.self), ("captured", Int64.self),
        ("status", Int16.self))
    /// A hold `h` with what it had captured and its status after its change `c`.
    static let columnsAfterChange = PostgresColumns(
        ("h.id", UUID.self), ("h.wallet_id", UUID.self), ("h.destination_wallet_id", UUID.self), ("h.amount", Int64.self),
        ("h.currency", String.self), ("h.placed_by", String.self), ("h.placed_at", PostgresTimestamp.self),
        ("h.expires_at", PostgresTimestamp.self), ("c.captured_after", Int64.self), ("c.status_after", Int16.self))

    /// - Parameter row: One that begins with ``columns`` or ``columnsAfterChange``.
    init(row: PostgresRow) throws {
        let (id, walletID, destinationID, amount, currency, placedBy, placedAt, expiresAt, captured, status) = try row.decode(Self.columns)
        self.init(
            terms: HoldTerms(
                id: HoldID(id), walletID: WalletID(walletID), destinationWalletID: WalletID(destinationID),
                money: try Money(stored: amount, Currency(stored: currency, table: "holds"))),
            placedBy: placedBy, placedAt: Timestamp(placedAt), expiresAt: Timestamp(expiresAt), capturedMinor: captured,
            status: try HoldStatus(stored: status))
    }
}

extension HoldChange {
    /// A change `c`, without its hold.
    static let columns = PostgresColumns(
        ("c.kind", Int16.self), ("c.captured", Int64.self), ("c.released", Int64.self), ("c.version", Int64.self), ("c.held_after", Int64.self),
        ("c.transfer_id", UUID?.self), ("c.event_id", UUID.self), ("c.changed_at", PostgresTimestamp.self))

    /// - Parameter row: One that begins with the change's ``columns``; those of the hold after it follow.
    init(row: PostgresRow) throws {
        let (kind, captured, released, version, heldAfter, transferID, eventID, changedAt) = try row.decode(Self.columns)
        self.init(
            kind: try HoldChangeKind(stored: kind), hold: try HoldState(row: row.after(Self.columns)), capturedMinor: captured,
            releasedMinor: released, walletVersion: version, walletHeldMinor: heldAfter, transferID: transferID.map { TransferID($0) },
            eventID: EventID(eventID), changedAt: Timestamp(changedAt))
    }
}
