package import StrictJSON

/// The event types of wallets; each is its routing key.
package enum WalletEventType: String, EventType {
    case opened = "ledger.wallet.opened.v1"
    case statusChanged = "ledger.wallet.status_changed.v1"

    package static let producer = "wallet-ledger"
}

/// `ledger.wallet.opened.v1`. The subject and the partition key are the wallet.
package struct WalletOpenedEvent: EventPayload {
    package let walletID: WalletID
    package let ownerID: UserID?
    /// The principal that opened it, who need not be its owner.
    package let openedBy: String
    package let currency: Currency
    package let openedAt: Timestamp

    package init(walletID: WalletID, ownerID: UserID?, openedBy: String, currency: Currency, openedAt: Timestamp) {
        self.walletID = walletID
        self.ownerID = ownerID
        self.openedBy = openedBy
        self.currency = currency
        self.openedAt = openedAt
    }

    package static let types: [WalletEventType] = [.opened]

    package var type: WalletEventType { .opened }
    package var subject: String { walletID.description }
    package var partitionKey: String { walletID.description }

    package init(reading object: inout JSONObjectReader, type: WalletEventType) throws(RequestFault) {
        walletID = try object.identifier("id")
        ownerID = try object.optionalIdentifier("owner_id")
        openedBy = try object.string("opened_by", length: recordedTextLength)
        currency = try object.recordedCurrency()
        openedAt = try object.time("opened_at")
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("id", walletID.description)
            if let ownerID { writer.member("owner_id", ownerID.description) } else { writer.memberNull("owner_id") }
            writer.member("opened_by", openedBy)
            writer.member("currency", currency.code)
            writer.member("opened_at", openedAt.description)
        }
    }
}

/// `ledger.wallet.status_changed.v1`: an operator changed a wallet's status or overdraft limit. The subject and the partition key are the
/// wallet.
package struct WalletStatusChangedEvent: EventPayload {
    package let walletID: WalletID
    package let kind: WalletChangeKind
    /// The status after the change, which a change of the limit alone leaves as it was.
    package let status: WalletStatus
    /// How far below zero the available balance may go after the change, in minor units; never negative.
    package let overdraftLimitMinor: Int64
    /// The wallet's own counter, which this change raised by one.
    package let version: Int64
    /// Why, in the operator's words.
    package let reason: String
    package let changedAt: Timestamp

    package init(
        walletID: WalletID, kind: WalletChangeKind, status: WalletStatus, overdraftLimitMinor: Int64, version: Int64, reason: String,
        changedAt: Timestamp
    ) {
        self.walletID = walletID
        self.kind = kind
        self.status = status
        self.overdraftLimitMinor = overdraftLimitMinor
        self.version = version
        self.reason = reason
        self.changedAt = changedAt
    }

    package static let types: [WalletEventType] = [.statusChanged]

    package var type: WalletEventType { .statusChanged }
    package var subject: String { walletID.description }
    package var partitionKey: String { walletID.description }

    package init(reading object: inout JSONObjectReader, type: WalletEventType) throws(RequestFault) {
        walletID = try object.identifier("wallet_id")
        kind = try object.choice("change")
        status = try object.choice("status")
        overdraftLimitMinor = try object.amount("overdraft_limit", in: 0...MinorUnits.maximum)
        version = try object.version("version")
        reason = try object.string("reason", length: recordedTextLength)
        changedAt = try object.time("changed_at")
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("wallet_id", walletID.description)
            writer.member("change", kind.rawValue)
            writer.member("status", status.rawValue)
            writer.member("overdraft_limit", overdraftLimitMinor)
            writer.member("version", version)
            writer.member("reason", reason)
            writer.member("changed_at", changedAt.description)
        }
    }
}
