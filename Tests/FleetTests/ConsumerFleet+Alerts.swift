import Contracts
import Foundation
import Postgres
import StrictJSON
import TestSupport
import Testing

extension ConsumerFleet {
    /// Settings under which ``raiseAlerts()`` raises alerts by both rules.
    static let bothRules = ["RISK_VELOCITY_LIMIT": "2"]
    private static let payerCount = 20
    private static let debitsPerPayer = 3

    /// Raises alerts by both rules, as the ledger would: by events.
    ///
    /// - Returns: the ids of the alerts, of the wallets that they are about, and of the transfers.
    func raiseAlerts() async throws -> [String] {
        let debits = Self.payerCount * Self.debitsPerPayer
        try await publish(debits, ofWallets: Self.payerCount)
        // Each debit is of high value, and the last of each wallet is one too many.
        let alerts = Int64(debits + Self.payerCount)
        try #require(try await eventually(within: .seconds(40)) { try await number("SELECT count(*) FROM risk_alerts") == alerts })
        let ids = try await rows("SELECT id, wallet_id, transfer_id FROM risk_alerts") { row in
            let (alert, wallet, transfer) = try row.decode(UUID.self, UUID.self, UUID.self)
            return ["\(AlertID(alert))", "\(WalletID(wallet))", "\(TransferID(transfer))"]
        }
        return Set(ids.joined()).sorted()
    }

    /// How an alert ended, or how a request wanted it to end.
    private struct Words: Hashable {
        let resolution: String?
        let note: String?
    }

    private struct StoredAlert {
        let id: String
        /// Nil while it is open, as is the rest.
        let words: Words?
        let resolvedBy: String?
        let resolvedThrough: String?
    }

    /// Every alert was raised in one event and, if it is resolved, was resolved by one of the operators and in one event; and what a key
    /// keeps was decided by how the alert ended.
    func expectAlertsResolvedOnce(by operators: [Schemathesis.Party]) async throws {
        let alerts = try await storedAlerts()
        let resolvers = Set(alerts.compactMap { alert in alert.resolvedBy.map { "user:\($0) through \(alert.resolvedThrough ?? "nothing")" } })
        #expect(resolvers.isSubset(of: operators.map { "\($0.principal) through \($0.caller)" }), "\(resolvers)")

        let expected = alerts.flatMap { alert in
            let raised = "risk.alert.raised.v1 \(alert.id)"
            guard let resolution = alert.words?.resolution else { return [raised] }
            return [raised, "risk.alert.resolved.v1 \(alert.id) \(resolution) by \(alert.resolvedBy ?? "nobody")"]
        }
        #expect(try await told().sorted() == expected.sorted())

        let ends = Dictionary(uniqueKeysWithValues: alerts.map { ($0.id, $0.words) })
        let kept = try await rows("SELECT request, refused_request_id IS NULL FROM idempotency_keys") { row in
            try row.decode(String.self, Bool.self)
        }
        #expect(!kept.isEmpty)
        for (request, isDone) in kept {
            let asked = try JSONParser.parse(request.utf8)
            let words = Words(resolution: asked["resolution"]?.stringValue, note: asked["note"]?.stringValue)
            let end = try #require(ends[asked["id"]?.stringValue ?? ""] ?? nil, "\(request)")
            #expect((words == end) == isDone, "\(request)")
        }
    }

    private func storedAlerts() async throws -> [StoredAlert] {
        try await rows(
            """
            SELECT id, CASE resolution WHEN 1 THEN 'false_positive' WHEN 2 THEN 'confirmed' END, note, resolved_by, resolved_through
            FROM risk_alerts
            """
        ) { row in
            let (id, resolution, note, resolvedBy, resolvedThrough) = try row.decode(
                UUID.self, String?.self, String?.self, String?.self, String?.self)
            return StoredAlert(
                id: "\(AlertID(id))", words: resolution.map { Words(resolution: $0, note: note) }, resolvedBy: resolvedBy,
                resolvedThrough: resolvedThrough)
        }
    }

    /// What the outbox says of alerts.
    private func told() async throws -> [String] {
        let events = try await rows("SELECT type, subject, data FROM outbox_events") { row in
            try row.decode(String.self, String.self, String.self)
        }
        return try events.map { type, subject, data in
            let data = try JSONParser.parse(data.utf8)
            guard let resolution = data["resolution"]?.stringValue else { return "\(type) \(subject)" }
            return "\(type) \(subject) \(resolution) by \(data["resolved_by"]?.stringValue ?? "nobody")"
        }
    }
}
