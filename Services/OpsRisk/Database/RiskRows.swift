import Contracts
import FoundationEssentials
import Outbox
import Postgres

// How the service's values are stored: enums as small numbers, ids as uuid, times as timestamptz.

/// A row holds what this version of the service never writes.
struct UnreadableRow: Error, CustomStringConvertible {
    let table: String
    var description: String { "a row of \(table) can't be read" }
}

extension RiskRule {
    var stored: Int16 {
        switch self {
        case .highValue: 1
        case .velocity: 2
        }
    }
}

extension RiskResolution {
    var stored: Int16 {
        switch self {
        case .falsePositive: 1
        case .confirmed: 2
        }
    }

    init(stored: Int16) throws {
        guard let resolution = Self.allCases.first(where: { $0.stored == stored }) else { throw UnreadableRow(table: "risk_alerts") }
        self = resolution
    }
}

extension CustomerDebit {
    /// - Parameter column: of the transfer's id, which amount, currency and time follow.
    init(row: PostgresRow, at column: Int, wallet: WalletID) throws {
        guard let currency = Currency(letters: try row.decode(column + 2, as: String.self)),
            let money = Money(amountMinor: try row.decode(column + 1), currency: currency)
        else { throw UnreadableRow(table: "customer_debits") }
        self.init(
            walletID: wallet, transferID: TransferID(try row.decode(column, as: UUID.self)), money: money,
            occurredAt: Timestamp(try row.decode(column + 3, as: PostgresTimestamp.self)))
    }
}

extension RiskAlert {
    static let columns = """
        id, rule, wallet_id, transfer_id, amount, currency, occurred_at, raised_at, threshold, debit_count, debit_limit, window_seconds,
        resolution, note, resolved_by, resolved_at
        """

    init(row: PostgresRow) throws {
        let finding: RiskFinding
        switch try row.decode(1, as: Int16.self) {
        case RiskRule.highValue.stored: finding = .highValue(thresholdMinor: try row.decode(8))
        case RiskRule.velocity.stored:
            finding = .velocity(count: try row.decode(9), limit: try row.decode(10), windowSeconds: try row.decode(11))
        default: throw UnreadableRow(table: "risk_alerts")
        }
        var resolution: RiskAlertResolutionBody?
        if let stored = try row.decodeIfPresent(12, as: Int16.self) {
            resolution = RiskAlertResolutionBody(
                resolution: try RiskResolution(stored: stored), note: try row.decodeIfPresent(13), resolvedBy: try row.decode(14),
                resolvedAt: Timestamp(try row.decode(15, as: PostgresTimestamp.self)))
        }
        self.init(
            id: AlertID(try row.decode(0, as: UUID.self)), finding: finding,
            debit: try CustomerDebit(row: row, at: 3, wallet: WalletID(try row.decode(2, as: UUID.self))),
            raisedAt: Timestamp(try row.decode(7, as: PostgresTimestamp.self)), resolution: resolution)
    }
}
