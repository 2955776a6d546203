package import StrictJSON

/// What happened to a hold.
package enum HoldChangeKind: String, Sendable, Hashable, CaseIterable {
    case placed
    case captured
    case voided
    case expired
}

/// `ledger.hold.placed.v1`, `.captured.v1`, `.voided.v1`, `.expired.v1`. The subject is the hold, the partition key the wallet whose
/// money it sets aside.
package struct HoldChanged: EventPayload {
    package let kind: HoldChangeKind
    package let holdID: HoldID
    package let walletID: WalletID
    package let walletVersion: Int64
    package let destinationWalletID: WalletID
    /// The hold's own amount.
    package let money: Money
    package let status: HoldStatus
    /// Captured by this change, and given back by it.
    package let capturedMinor: Int64
    package let releasedMinor: Int64
    /// What the hold still sets aside after it.
    package let remainingMinor: Int64
    /// What all holds of the wallet set aside after it.
    package let walletHeldMinor: Int64
    /// Of a capture.
    package let transferID: TransferID?
    package let expiresAt: Timestamp
    package let changedAt: Timestamp

    package init(
        kind: HoldChangeKind, holdID: HoldID, walletID: WalletID, walletVersion: Int64, destinationWalletID: WalletID, money: Money,
        status: HoldStatus, capturedMinor: Int64, releasedMinor: Int64, remainingMinor: Int64, walletHeldMinor: Int64,
        transferID: TransferID?, expiresAt: Timestamp, changedAt: Timestamp
    ) {
        self.kind = kind
        self.holdID = holdID
        self.walletID = walletID
        self.walletVersion = walletVersion
        self.destinationWalletID = destinationWalletID
        self.money = money
        self.status = status
        self.capturedMinor = capturedMinor
        self.releasedMinor = releasedMinor
        self.remainingMinor = remainingMinor
        self.walletHeldMinor = walletHeldMinor
        self.transferID = transferID
        self.expiresAt = expiresAt
        self.changedAt = changedAt
    }

    package static let types: [LedgerEventType] = [.holdPlaced, .holdCaptured, .holdVoided, .holdExpired]

    package init(reading object: inout JSONObjectReader, type: LedgerEventType) throws(RequestFault) {
        kind =
            switch type {
            case .holdCaptured: .captured
            case .holdVoided: .voided
            case .holdExpired: .expired
            case .holdPlaced, .walletOpened, .walletStatusChanged, .transferPosted, .transferRefunded: .placed
            }
        holdID = try object.identifier("hold_id")
        walletID = try object.identifier("wallet_id")
        walletVersion = try object.number("wallet_version", in: 1...MinorUnits.maximum)
        destinationWalletID = try object.identifier("destination_wallet_id")
        money = try object.recordedMoney()
        status = try object.choice("status")
        capturedMinor = try object.integer("captured_amount", in: 0...MinorUnits.maximum)
        releasedMinor = try object.integer("released_amount", in: 0...MinorUnits.maximum)
        remainingMinor = try object.integer("remaining_amount", in: 0...MinorUnits.maximum)
        walletHeldMinor = try object.integer("wallet_held", in: 0...MinorUnits.maximum)
        transferID = try object.optionalIdentifier("transfer_id")
        expiresAt = try object.time("expires_at")
        changedAt = try object.time("changed_at")
        guard kind != .captured || transferID != nil else { throw object.refusal("transfer_id", "Is missing.") }
    }

    package var subject: String { holdID.description }
    package var partitionKey: String { walletID.description }

    package var type: LedgerEventType {
        switch kind {
        case .placed: .holdPlaced
        case .captured: .holdCaptured
        case .voided: .holdVoided
        case .expired: .holdExpired
        }
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("hold_id", holdID.description)
            writer.member("wallet_id", walletID.description)
            writer.member("wallet_version", walletVersion)
            writer.member("destination_wallet_id", destinationWalletID.description)
            writer.member("amount", money.amountMinor)
            writer.member("currency", money.currency.code)
            writer.member("status", status.rawValue)
            writer.member("captured_amount", capturedMinor)
            writer.member("released_amount", releasedMinor)
            writer.member("remaining_amount", remainingMinor)
            writer.member("wallet_held", walletHeldMinor)
            if let transferID { writer.member("transfer_id", transferID.description) }
            writer.member("expires_at", expiresAt.description)
            writer.member("changed_at", changedAt.description)
        }
    }
}
