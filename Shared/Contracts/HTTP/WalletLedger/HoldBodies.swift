package import StrictJSON

package enum HoldStatus: String, Sendable, Hashable, CaseIterable {
    case open
    /// Nothing is left: it was captured whole, or the rest was released by a final capture.
    case captured
    case voided
    case expired
}

/// A hold, as it is or, in the answer to its placing, as it was placed.
package struct HoldBody: WireBody {
    package let id: HoldID
    package let sourceWalletID: WalletID
    package let destinationWalletID: WalletID
    package let money: Money
    package let status: HoldStatus
    package let capturedMinor: Int64
    /// What is still set aside.
    package let remainingMinor: Int64
    package let placedAt: Timestamp
    package let expiresAt: Timestamp

    package init(
        id: HoldID, sourceWalletID: WalletID, destinationWalletID: WalletID, money: Money, status: HoldStatus, capturedMinor: Int64,
        remainingMinor: Int64, placedAt: Timestamp, expiresAt: Timestamp
    ) {
        self.id = id
        self.sourceWalletID = sourceWalletID
        self.destinationWalletID = destinationWalletID
        self.money = money
        self.status = status
        self.capturedMinor = capturedMinor
        self.remainingMinor = remainingMinor
        self.placedAt = placedAt
        self.expiresAt = expiresAt
    }

    package init(reading object: inout JSONObjectReader) throws(RequestFault) {
        id = try object.identifier("id")
        sourceWalletID = try object.identifier("source_wallet_id")
        destinationWalletID = try object.identifier("destination_wallet_id")
        money = try object.recordedMoney()
        status = try object.choice("status")
        capturedMinor = try object.amount("captured_amount", in: 0...MinorUnits.maximum)
        remainingMinor = try object.amount("remaining_amount", in: 0...MinorUnits.maximum)
        placedAt = try object.time("placed_at")
        expiresAt = try object.time("expires_at")
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("id", id.description)
            writer.member("source_wallet_id", sourceWalletID.description)
            writer.member("destination_wallet_id", destinationWalletID.description)
            writer.members(money)
            writer.member("status", status.rawValue)
            writer.member("captured_amount", capturedMinor)
            writer.member("remaining_amount", remainingMinor)
            writer.member("placed_at", placedAt.description)
            writer.member("expires_at", expiresAt.description)
        }
    }
}

/// The answer to a capture: the transfer, and the hold as the capture left it.
package struct HoldCapturedBody: WireBody {
    package let holdID: HoldID
    package let status: HoldStatus
    /// By this and all earlier captures.
    package let capturedMinor: Int64
    package let remainingMinor: Int64
    /// What a final capture gave back.
    package let releasedMinor: Int64
    package let transfer: TransferBody

    package init(
        holdID: HoldID, status: HoldStatus, capturedMinor: Int64, remainingMinor: Int64, releasedMinor: Int64, transfer: TransferBody
    ) {
        self.holdID = holdID
        self.status = status
        self.capturedMinor = capturedMinor
        self.remainingMinor = remainingMinor
        self.releasedMinor = releasedMinor
        self.transfer = transfer
    }

    package init(reading object: inout JSONObjectReader) throws(RequestFault) {
        holdID = try object.identifier("hold_id")
        status = try object.choice("status")
        capturedMinor = try object.amount("captured_amount", in: 0...MinorUnits.maximum)
        remainingMinor = try object.amount("remaining_amount", in: 0...MinorUnits.maximum)
        releasedMinor = try object.amount("released_amount", in: 0...MinorUnits.maximum)
        transfer = try object.object("transfer")
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("hold_id", holdID.description)
            writer.member("status", status.rawValue)
            writer.member("captured_amount", capturedMinor)
            writer.member("remaining_amount", remainingMinor)
            writer.member("released_amount", releasedMinor)
            writer.name("transfer")
            transfer.encode(into: &writer)
        }
    }
}

/// The answer to a void.
package struct HoldVoidedBody: WireBody {
    package let holdID: HoldID
    package let status: HoldStatus
    package let capturedMinor: Int64
    package let releasedMinor: Int64
    package let walletID: WalletID
    package let walletVersion: Int64
    package let endedAt: Timestamp

    package init(
        holdID: HoldID, status: HoldStatus, capturedMinor: Int64, releasedMinor: Int64, walletID: WalletID, walletVersion: Int64,
        endedAt: Timestamp
    ) {
        self.holdID = holdID
        self.status = status
        self.capturedMinor = capturedMinor
        self.releasedMinor = releasedMinor
        self.walletID = walletID
        self.walletVersion = walletVersion
        self.endedAt = endedAt
    }

    package init(reading object: inout JSONObjectReader) throws(RequestFault) {
        holdID = try object.identifier("hold_id")
        status = try object.choice("status")
        capturedMinor = try object.amount("captured_amount", in: 0...MinorUnits.maximum)
        releasedMinor = try object.amount("released_amount", in: 0...MinorUnits.maximum)
        walletID = try object.identifier("wallet_id")
        walletVersion = try object.version("wallet_version")
        endedAt = try object.time("ended_at")
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("hold_id", holdID.description)
            writer.member("status", status.rawValue)
            writer.member("captured_amount", capturedMinor)
            writer.member("released_amount", releasedMinor)
            writer.member("wallet_id", walletID.description)
            writer.member("wallet_version", walletVersion)
            writer.member("ended_at", endedAt.description)
        }
    }
}
