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
    /// Of a debit or an alert; without the wallet.
    static let columns = PostgresColumns(
        ("transfer_id", UUID.self), ("amount", Int64.self), ("currency", String.self), ("occurred_at", PostgresTimestamp.self))

    /// - Parameter row: One that begins with ``columns``.
    init(row: PostgresRow, wallet: WalletID) throws {
        let (transferID, amount, currency, occurredAt) = try row.decode(Self.columns)
        guard let money = Currency(letters: currency).flatMap({ Money(amountMinor: amount, currency: $0) }) else {
            throw UnreadableRow(table: "customer_debits")
        }
        self.init(walletID: wallet, transferID: TransferID(transferID), money: money, occurredAt: Timestamp(occurredAt))
    }
}

extension RiskAlert {
    /// The columns of an alert; those of its debit follow.
    private static let ownColumns = PostgresColumns(
        ("id", UUID.self), ("rule", Int16.self), ("wallet_id", UUID.self), ("raised_at", PostgresTimestamp.self), ("threshold", Int64?.self),
        ("debit_count", Int64?.self), ("debit_limit", Int64?.self), ("window_seconds", Int64?.self), ("resolution", Int16?.self),
        ("note", String?.self), ("resolved_by", String?.self), ("resolved_at", PostgresTimestamp?.self))

    static let columns = "\(ownColumns.list), \(CustomerDebit.columns.list)"

    init(row: PostgresRow) throws {
        let (
            id, rule, walletID, raisedAt, threshold, debitCount, debitLimit, windowSeconds, storedResolution, note, resolvedBy, resolvedAt
        ) = try row.decode(Self.ownColumns)
        let finding: RiskFinding
        switch (rule, threshold, debitCount, debitLimit, windowSeconds) {
        case (RiskRule.highValue.stored, let threshold?, _, _, _): finding = .highValue(thresholdMinor: threshold)
        case (RiskRule.velocity.stored, _, let count?, let limit?, let seconds?):
            finding = .velocity(count: count, limit: limit, windowSeconds: seconds)
        default: throw UnreadableRow(table: "risk_alerts")
        }
        var resolution: RiskAlertResolutionBody?
        if let storedResolution {
            guard let resolvedBy, let resolvedAt else { throw UnreadableRow(table: "risk_alerts") }
            resolution = RiskAlertResolutionBody(
                resolution: try RiskResolution(stored: storedResolution), note: note, resolvedBy: resolvedBy, resolvedAt: Timestamp(resolvedAt))
        }
        self.init(
            id: AlertID(id), finding: finding, debit: try CustomerDebit(row: row.after(Self.ownColumns), wallet: WalletID(walletID)),
            raisedAt: Timestamp(raisedAt), resolution: resolution)
    }
}
