package import StrictJSON

package enum RiskAlertStatus: String, Sendable, Hashable, CaseIterable {
    case open
    /// Final.
    case resolved
}

/// How an alert ended; it never changes later.
package struct RiskAlertResolutionBody: Sendable, Hashable {
    package let resolution: RiskResolution
    package let note: String?
    /// The principal who resolved it.
    package let resolvedBy: String
    package let resolvedAt: Timestamp

    package init(resolution: RiskResolution, note: String?, resolvedBy: String, resolvedAt: Timestamp) {
        self.resolution = resolution
        self.note = note
        self.resolvedBy = resolvedBy
        self.resolvedAt = resolvedAt
    }

    fileprivate init(reading object: inout JSONObjectReader) throws(RequestFault) {
        resolution = try object.choice("resolution")
        note = try object.optionalString("note", length: recordedTextLength)
        resolvedBy = try object.string("resolved_by", length: recordedTextLength)
        resolvedAt = try object.time("resolved_at")
    }

    fileprivate func encodeMembers(into writer: inout JSONWriter) {
        writer.member("resolution", resolution.rawValue)
        if let note { writer.member("note", note) }
        writer.member("resolved_by", resolvedBy)
        writer.member("resolved_at", resolvedAt.description)
    }
}

/// An item of `GET /v1/risk/alerts` (in a ``PageBody``, newest first), and the answer to a resolution: of an alert that is resolved
/// nothing changes any more, so a repeat gets the same bytes.
package struct RiskAlertBody: WireBody {
    package let id: AlertID
    package let finding: RiskFinding
    package let walletID: WalletID
    /// The transfer at which the rule matched, its amount, and when it was posted.
    package let transferID: TransferID
    package let money: Money
    package let occurredAt: Timestamp
    package let raisedAt: Timestamp
    package let resolution: RiskAlertResolutionBody?

    package init(
        id: AlertID, finding: RiskFinding, walletID: WalletID, transferID: TransferID, money: Money, occurredAt: Timestamp,
        raisedAt: Timestamp, resolution: RiskAlertResolutionBody?
    ) {
        self.id = id
        self.finding = finding
        self.walletID = walletID
        self.transferID = transferID
        self.money = money
        self.occurredAt = occurredAt
        self.raisedAt = raisedAt
        self.resolution = resolution
    }

    package var status: RiskAlertStatus { resolution == nil ? .open : .resolved }

    package init(reading object: inout JSONObjectReader) throws(RequestFault) {
        id = try object.identifier("id")
        finding = try RiskFinding(reading: &object)
        walletID = try object.identifier("wallet_id")
        transferID = try object.identifier("transfer_id")
        money = try object.recordedMoney()
        occurredAt = try object.time("occurred_at")
        raisedAt = try object.time("raised_at")
        switch try object.choice("status", as: RiskAlertStatus.self) {
        case .open: resolution = nil
        case .resolved: resolution = try RiskAlertResolutionBody(reading: &object)
        }
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("id", id.description)
            writer.member("status", status.rawValue)
            finding.encodeMembers(into: &writer)
            writer.member("wallet_id", walletID.description)
            writer.member("transfer_id", transferID.description)
            writer.members(money)
            writer.member("occurred_at", occurredAt.description)
            writer.member("raised_at", raisedAt.description)
            resolution?.encodeMembers(into: &writer)
        }
    }
}
