package import StrictJSON

/// The event types of ops-risk; each is its routing key.
package enum RiskEventType: String, EventType {
    case alertRaised = "risk.alert.raised.v1"
    case alertResolved = "risk.alert.resolved.v1"

    package static let producer = "ops-risk"
}

/// The rule that raised an alert.
package enum RiskRule: String, Sendable, Hashable, CaseIterable {
    /// One transfer at or above a threshold.
    case highValue = "high_value"
    /// More debits of one wallet within a window than its limit.
    case velocity
}

/// What an alert found, with the settings by which it was judged: they may be others tomorrow.
package enum RiskFinding: Sendable, Hashable {
    /// In minor units of the transfer's currency.
    case highValue(thresholdMinor: Int64)
    /// `count` debits, the named transfer included, within the window that ends with it.
    case velocity(count: Int64, limit: Int64, windowSeconds: Int64)

    package var rule: RiskRule {
        switch self {
        case .highValue: .highValue
        case .velocity: .velocity
        }
    }

    init(reading object: inout JSONObjectReader) throws(RequestFault) {
        switch try object.choice("rule", as: RiskRule.self) {
        case .highValue: self = .highValue(thresholdMinor: try object.amount("threshold", in: 1...MinorUnits.maximum))
        case .velocity:
            self = .velocity(
                count: try object.integer("count", in: 1...MinorUnits.maximum), limit: try object.integer("limit", in: 0...MinorUnits.maximum),
                windowSeconds: try object.integer("window_seconds", in: 1...MinorUnits.maximum))
        }
    }

    func encodeMembers(into writer: inout JSONWriter) {
        writer.member("rule", rule.rawValue)
        switch self {
        case .highValue(let thresholdMinor): writer.member("threshold", thresholdMinor)
        case .velocity(let count, let limit, let windowSeconds):
            writer.member("count", count)
            writer.member("limit", limit)
            writer.member("window_seconds", windowSeconds)
        }
    }
}

/// `risk.alert.raised.v1`. The subject is the alert, the partition key the wallet.
package struct RiskAlertRaisedEvent: EventPayload {
    package let alertID: AlertID
    package let finding: RiskFinding
    package let walletID: WalletID
    /// The transfer at which the rule matched.
    package let transferID: TransferID
    /// The amount of that transfer, always positive.
    package let money: Money
    /// When that transfer was posted.
    package let occurredAt: Timestamp
    package let raisedAt: Timestamp

    package init(
        alertID: AlertID, finding: RiskFinding, walletID: WalletID, transferID: TransferID, money: Money, occurredAt: Timestamp,
        raisedAt: Timestamp
    ) {
        self.alertID = alertID
        self.finding = finding
        self.walletID = walletID
        self.transferID = transferID
        self.money = money
        self.occurredAt = occurredAt
        self.raisedAt = raisedAt
    }

    package static let types: [RiskEventType] = [.alertRaised]

    package var type: RiskEventType { .alertRaised }
    package var subject: String { alertID.description }
    package var partitionKey: String { walletID.description }

    package init(reading object: inout JSONObjectReader, type: RiskEventType) throws(RequestFault) {
        self.init(
            alertID: try object.identifier("alert_id"), finding: try RiskFinding(reading: &object),
            walletID: try object.identifier("wallet_id"), transferID: try object.identifier("transfer_id"), money: try object.recordedMoney(),
            occurredAt: try object.time("occurred_at"), raisedAt: try object.time("raised_at"))
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("alert_id", alertID.description)
            finding.encodeMembers(into: &writer)
            writer.member("wallet_id", walletID.description)
            writer.member("transfer_id", transferID.description)
            writer.members(money)
            writer.member("occurred_at", occurredAt.description)
            writer.member("raised_at", raisedAt.description)
        }
    }
}

/// What an operator found an alert to be.
package enum RiskResolution: String, Sendable, Hashable, CaseIterable {
    case falsePositive = "false_positive"
    case confirmed
}

/// `risk.alert.resolved.v1`. The subject is the alert, the partition key the wallet. The operator's note stays in ops-risk: it may hold
/// personal data.
package struct RiskAlertResolvedEvent: EventPayload {
    package let alertID: AlertID
    package let rule: RiskRule
    package let walletID: WalletID
    package let resolution: RiskResolution
    /// The principal; nil when it was not a person who resolved it.
    package let resolvedBy: String?
    package let resolvedAt: Timestamp

    package init(
        alertID: AlertID, rule: RiskRule, walletID: WalletID, resolution: RiskResolution, resolvedBy: String?, resolvedAt: Timestamp
    ) {
        self.alertID = alertID
        self.rule = rule
        self.walletID = walletID
        self.resolution = resolution
        self.resolvedBy = resolvedBy
        self.resolvedAt = resolvedAt
    }

    package static let types: [RiskEventType] = [.alertResolved]

    package var type: RiskEventType { .alertResolved }
    package var subject: String { alertID.description }
    package var partitionKey: String { walletID.description }

    package init(reading object: inout JSONObjectReader, type: RiskEventType) throws(RequestFault) {
        self.init(
            alertID: try object.identifier("alert_id"), rule: try object.choice("rule"), walletID: try object.identifier("wallet_id"),
            resolution: try object.choice("resolution"), resolvedBy: try object.optionalString("resolved_by", length: recordedTextLength),
            resolvedAt: try object.time("resolved_at"))
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("alert_id", alertID.description)
            writer.member("rule", rule.rawValue)
            writer.member("wallet_id", walletID.description)
            writer.member("resolution", resolution.rawValue)
            if let resolvedBy { writer.member("resolved_by", resolvedBy) }
            writer.member("resolved_at", resolvedAt.description)
        }
    }
}
