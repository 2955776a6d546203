import Contracts
import FoundationEssentials
import Outbox
import Postgres

/// The SQL of holds, but for their locks and writes: those are a batch's.
struct HoldStore {
    func hold(_ session: PostgresSession, _ id: HoldID) throws -> HoldState? {
        try session.query("SELECT \(unsafeSQL: HoldState.columns) FROM holds WHERE id = \(id.uuid)").first.map(HoldState.init(row:))
    }

    /// Holds of a wallet before an id, the latest first.
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
            SELECT \(unsafeSQL: HoldChange.columns) FROM transfers t
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
            SELECT \(unsafeSQL: HoldChange.columns) FROM hold_changes c JOIN holds h ON h.id = c.hold_id
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
    static let columns =
        "id, wallet_id, destination_wallet_id, amount, currency, placed_by, placed_at, expires_at, captured, status"

    init(row: PostgresRow) throws {
        self.init(
            terms: HoldTerms(
                id: HoldID(try row.decode(0, as: UUID.self)), walletID: WalletID(try row.decode(1, as: UUID.self)),
                destinationWalletID: WalletID(try row.decode(2, as: UUID.self)),
                money: try Money(stored: row.decode(3), Currency(stored: row.decode(4), table: "holds"))),
            placedBy: try row.decode(5), placedAt: Timestamp(try row.decode(6, as: PostgresTimestamp.self)),
            expiresAt: Timestamp(try row.decode(7, as: PostgresTimestamp.self)), capturedMinor: try row.decode(8),
            status: try HoldStatus(stored: row.decode(9)))
    }
}

extension HoldChange {
    /// The hold with what it had captured and its status after the change, then the change.
    static let columns = """
        h.id, h.wallet_id, h.destination_wallet_id, h.amount, h.currency, h.placed_by, h.placed_at, h.expires_at,
        c.captured_after, c.status_after, c.kind, c.captured, c.released, c.version, c.held_after, c.transfer_id, c.event_id, c.changed_at
        """

    init(row: PostgresRow) throws {
        self.init(
            kind: try HoldChangeKind(stored: row.decode(10)), hold: try HoldState(row: row), capturedMinor: try row.decode(11),
            releasedMinor: try row.decode(12), walletVersion: try row.decode(13), walletHeldMinor: try row.decode(14),
            transferID: try row.decodeIfPresent(15, as: UUID.self).map { TransferID($0) }, eventID: EventID(try row.decode(16, as: UUID.self)),
            changedAt: Timestamp(try row.decode(17, as: PostgresTimestamp.self)))
    }
}
