package import StrictJSON

/// The event types of holds; each is its routing key.
package enum HoldEventType: String, EventType {
    case placed = "ledger.hold.placed.v1"
    case captured = "ledger.hold.captured.v1"
    case voided = "ledger.hold.voided.v1"
    case expired = "ledger.hold.expired.v1"

    package static let producer = "wallet-ledger"
}

/// What happened to a hold.
package enum HoldChangeKind: String, Sendable, Hashable, CaseIterable {
    case placed
    case captured
    case voided
    case expired
}

/// `ledger.hold.placed.v1`, `.captured.v1`, `.voided.v1`, `.expired.v1`. The subject is the hold, the partition key the wallet whose
/// money it sets aside.
package struct HoldChangedEvent: EventPayload {
    package let kind: HoldChangeKind
    package let holdID: HoldID
    package let walletID: WalletID
    /// The wallet's own counter, which this change raised by one.
    package let walletVersion: Int64
    package let destinationWalletID: WalletID
    /// The hold's own amount, which no change alters.
    package let money: Money
    package let status: HoldStatus
    /// Captured by this change alone, in minor units; 0 when it captures nothing.
    package let capturedMinor: Int64
    /// Given back to the wallet's available balance by this change alone, in minor units.
    package let releasedMinor: Int64
    /// What the hold still sets aside after the change, in minor units.
    package let remainingMinor: Int64
    /// What all holds of the wallet together set aside after the change, in minor units.
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

    package static let types: [HoldEventType] = HoldEventType.allCases

    package init(reading object: inout JSONObjectReader, type: HoldEventType) throws(RequestFault) {
        kind =
            switch type {
            case .placed: .placed
            case .captured: .captured
            case .voided: .voided
            case .expired: .expired
            }
        holdID = try object.identifier("hold_id")
        walletID = try object.identifier("wallet_id")
        walletVersion = try object.version("wallet_version")
        destinationWalletID = try object.identifier("destination_wallet_id")
        money = try object.recordedMoney()
        status = try object.choice("status")
        capturedMinor = try object.amount("captured_amount", in: 0...MinorUnits.maximum)
        releasedMinor = try object.amount("released_amount", in: 0...MinorUnits.maximum)
        remainingMinor = try object.amount("remaining_amount", in: 0...MinorUnits.maximum)
        walletHeldMinor = try object.amount("wallet_held", in: 0...MinorUnits.maximum)
        transferID = try object.optionalIdentifier("transfer_id")
        expiresAt = try object.time("expires_at")
        changedAt = try object.time("changed_at")
        guard kind != .captured || transferID != nil else { throw object.refusal("transfer_id", "Required.") }
    }

    package var subject: String { holdID.description }
    package var partitionKey: String { walletID.description }

    package var type: HoldEventType {
        switch kind {
        case .placed: .placed
        case .captured: .captured
        case .voided: .voided
        case .expired: .expired
        }
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("hold_id", holdID.description)
            writer.member("wallet_id", walletID.description)
            writer.member("wallet_version", walletVersion)
            writer.member("destination_wallet_id", destinationWalletID.description)
            writer.members(money)
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
