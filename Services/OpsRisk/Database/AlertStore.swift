import Contracts
import FoundationEssentials
import Outbox
import Postgres

/// The SQL of alerts.
struct AlertStore {
    /// Raises those that were not raised before, by rule and transfer or, of velocity, by wallet and stretch of time.
    ///
    /// - Returns: the ids of those that are new.
    /// - Throws: `PostgresError`.
    func insert(_ session: PostgresSession, _ alerts: [(alert: RiskAlert, window: DebitWindow?)]) throws -> Set<AlertID> {
        let (rows, findings) = (alerts.map(\.alert), alerts.map { FindingColumns($0.alert.finding) })
        var columns: PostgresArguments = [
            "id": rows.map(\.id.uuid), "rule": rows.map(\.finding.rule.stored), "wallet_id": rows.map(\.debit.walletID.uuid),
            "transfer_id": rows.map(\.debit.transferID.uuid), "amount": rows.map(\.debit.money.amountMinor),
            "currency": rows.map(\.debit.money.currency.code), "occurred_at": rows.map(\.debit.occurredAt.stored),
            "raised_at": rows.map(\.raisedAt.stored),
        ]
        columns += [
            "threshold": findings.map(\.threshold), "debit_count": findings.map(\.count), "debit_limit": findings.map(\.limit),
            "window_seconds": findings.map(\.windowSeconds), "window_start": alerts.map(\.window?.start.stored),
        ]
        let inserted = try session.query(
            """
            INSERT INTO risk_alerts (\(unsafeSQL: columns.list)) SELECT * FROM unnest(\(columns))
            ON CONFLICT DO NOTHING RETURNING id
            """)
        return Set(try inserted.map { row in AlertID(try row.decode(UUID.self)) })
    }

    private struct FindingColumns {
        var threshold: Int64?
        var count: Int64?
        var limit: Int64?
        var windowSeconds: Int64?

        init(_ finding: RiskFinding) {
            switch finding {
            case .highValue(let threshold): self.threshold = threshold
            case .velocity(let count, let limit, let windowSeconds): (self.count, self.limit, self.windowSeconds) = (count, limit, windowSeconds)
            }
        }
    }

    /// The alert, locked for its resolution; nil when there is none.
    ///
    /// - Throws: `PostgresError`, ``UnreadableRow``.
    func lock(_ session: PostgresSession, _ id: AlertID) throws -> RiskAlert? {
        try session.query("SELECT \(unsafeSQL: RiskAlert.columns) FROM risk_alerts WHERE id = \(id.uuid) FOR NO KEY UPDATE")
            .first.map(RiskAlert.init(row:))
    }

    /// - Parameter caller: the service through which it was resolved.
    /// - Throws: `PostgresError`; one with the constraint `risk_alerts_resolved_once` when it is resolved already.
    func resolve(_ session: PostgresSession, _ id: AlertID, _ resolution: RiskAlertResolutionBody, caller: String) throws {
        try session.execute(
            """
            UPDATE risk_alerts SET resolution = \(resolution.resolution.stored), note = \(resolution.note),
                resolved_by = \(resolution.resolvedBy), resolved_through = \(caller), resolved_at = \(resolution.resolvedAt.stored)
            WHERE id = \(id.uuid)
            """)
    }

    /// Alerts before an id, newest first.
    ///
    /// - Throws: `PostgresError`, ``UnreadableRow``.
    func latest(
        _ session: PostgresSession, status: RiskAlertStatus?, wallet: WalletID?, before last: AlertID?, limit: Int
    ) throws -> [RiskAlert] {
        let before = last?.uuid ?? UUID(high: .max, low: .max)
        let condition = status.map { $0 == .open ? "AND resolved_at IS NULL" : "AND resolved_at IS NOT NULL" } ?? ""
        let query: PostgresQuery =
            if let wallet {
                """
                SELECT \(unsafeSQL: RiskAlert.columns) FROM risk_alerts
                WHERE wallet_id = \(wallet.uuid) AND id < \(before) \(unsafeSQL: condition) ORDER BY id DESC LIMIT \(Int64(limit))
                """
            } else {
                """
                SELECT \(unsafeSQL: RiskAlert.columns) FROM risk_alerts
                WHERE id < \(before) \(unsafeSQL: condition) ORDER BY id DESC LIMIT \(Int64(limit))
                """
            }
        return try session.query(query).map(RiskAlert.init(row:))
    }

    /// What waits for an operator.
    struct Counts: Sendable {
        var open: [RiskRule: Int] = [:]
        var oldest: Timestamp?
    }

    /// More open alerts than this count as this many.
    static let countedAtMost = 100_000

    /// - Throws: `PostgresError`.
    func counts(_ session: PostgresSession) throws -> Counts {
        var counts = Counts()
        let rows = try session.query(
            """
            SELECT rule, count(*), min(raised_at) FROM (
                SELECT rule, raised_at FROM risk_alerts WHERE resolved_at IS NULL ORDER BY id LIMIT \(Int64(Self.countedAtMost))
            ) open GROUP BY rule
            """)
        for row in rows {
            let (stored, count, oldest) = try row.decode(Int16.self, Int64.self, PostgresTimestamp.self)
            guard let rule = RiskRule.allCases.first(where: { $0.stored == stored }) else { throw UnreadableRow(table: "risk_alerts") }
            counts.open[rule] = Int(count)
            let raisedAt = Timestamp(oldest)
            counts.oldest = counts.oldest.map { min($0, raisedAt) } ?? raisedAt
        }
        return counts
    }
}
