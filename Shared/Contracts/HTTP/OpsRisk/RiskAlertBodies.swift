package import StrictJSON

/// What an operator may add to a resolution: 1 to 500 characters.
private let noteLength = 1...500

package enum RiskAlertStatus: String, Sendable, Hashable, CaseIterable {
    case open
    /// Final.
    case resolved
}

/// `POST /v1/risk/alerts/{id}/resolve`.
package struct ResolveRiskAlertRequest: WireDecodable, WireEncodable, Hashable {
    package let resolution: RiskResolution
    package let note: String?

    package init(resolution: RiskResolution, note: String? = nil) {
        self.resolution = resolution
        self.note = note
    }

    package init(reading object: inout JSONObjectReader) throws(RequestFault) {
        resolution = try object.choice("resolution")
        note = try object.optionalString("note", length: noteLength)
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("resolution", resolution.rawValue)
            if let note { writer.member("note", note) }
        }
    }
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
}

/// An item of `GET /v1/risk/alerts` (in a ``PageBody``, newest first), and the answer to a resolution: of an alert that is resolved
/// nothing changes any more, so a repeat gets the same bytes.
package struct RiskAlertBody: WireEncodable, Hashable {
    package let id: AlertID
    package let finding: RiskFinding
    package let walletID: WalletID
    /// The transfer at which the rule struck, its amount, and when it was posted.
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

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("id", id.description)
            writer.member("status", status.rawValue)
            finding.encodeMembers(into: &writer)
            writer.member("wallet_id", walletID.description)
            writer.member("transfer_id", transferID.description)
            writer.member("amount", money.amountMinor)
            writer.member("currency", money.currency.code)
            writer.member("occurred_at", occurredAt.description)
            writer.member("raised_at", raisedAt.description)
            if let resolution {
                writer.member("resolution", resolution.resolution.rawValue)
                if let note = resolution.note { writer.member("note", note) }
                writer.member("resolved_by", resolution.resolvedBy)
                writer.member("resolved_at", resolution.resolvedAt.description)
            }
        }
    }
}
