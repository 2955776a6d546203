package import StrictJSON

/// `ledger.wallet.opened.v1`: what the opener was answered. The subject and the partition key are the wallet.
extension WalletOpened: EventPayload {
    package static let types: [LedgerEventType] = [.walletOpened]

    package var type: LedgerEventType { .walletOpened }
    package var subject: String { id.description }
    package var partitionKey: String { id.description }

    package init(reading object: inout JSONObjectReader, type: LedgerEventType) throws(RequestFault) {
        self.init(
            id: try object.identifier("id"), ownerID: try object.optionalIdentifier("owner_id"),
            openedBy: try object.string("opened_by", length: eventTextLength), currency: try object.recordedCurrency(),
            openedAt: try object.time("opened_at"))
    }
}

/// `ledger.wallet.status_changed.v1`: what the operator was answered. The subject and the partition key are the wallet.
extension WalletChangeBody: EventPayload {
    package static let types: [LedgerEventType] = [.walletStatusChanged]

    package var type: LedgerEventType { .walletStatusChanged }
    package var subject: String { walletID.description }
    package var partitionKey: String { walletID.description }

    package init(reading object: inout JSONObjectReader, type: LedgerEventType) throws(RequestFault) {
        self.init(
            walletID: try object.identifier("wallet_id"), kind: try object.choice("change"), status: try object.choice("status"),
            overdraftLimitMinor: try object.integer("overdraft_limit", in: 0...MinorUnits.maximum),
            version: try object.number("version", in: 1...MinorUnits.maximum),
            reason: try object.string("reason", length: eventTextLength), changedAt: try object.time("changed_at"))
    }
}
