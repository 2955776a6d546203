package import StrictJSON

/// `POST /v1/holds`: sets an amount of a wallet aside for another wallet, until it is captured, voided or expires.
package struct PlaceHoldRequest: WireDecodable, Hashable {
    /// 31 days; who needs longer places a new hold.
    package static let longestSeconds: Int64 = 2_678_400
    /// 7 days.
    package static let defaultSeconds: Int64 = 604_800

    package let sourceWalletID: WalletID
    package let destinationWalletID: WalletID
    package let money: Money
    /// How long the hold lasts from the moment it is placed, by the ledger's clock.
    package let expiresInSeconds: Int64

    package init(
        sourceWalletID: WalletID, destinationWalletID: WalletID, money: Money, expiresInSeconds: Int64 = PlaceHoldRequest.defaultSeconds
    ) {
        self.sourceWalletID = sourceWalletID
        self.destinationWalletID = destinationWalletID
        self.money = money
        self.expiresInSeconds = expiresInSeconds
    }

    package init(reading object: inout JSONObjectReader) throws(RequestFault) {
        sourceWalletID = try object.identifier("source_wallet_id")
        destinationWalletID = try object.identifier("destination_wallet_id")
        money = try object.money()
        expiresInSeconds = try object.optionalNumber("expires_in", in: 1...Self.longestSeconds) ?? Self.defaultSeconds
    }
}

/// `POST /v1/holds/{id}/capture`: takes a part of the hold, or all that is left of it when no amount is given.
package struct CaptureHoldRequest: WireDecodable, Hashable {
    package let money: Money?
    /// Whether this is the last capture: what is left is released.
    package let isFinal: Bool
    package let reference: String?

    package init(money: Money? = nil, isFinal: Bool = false, reference: String? = nil) {
        self.money = money
        self.isFinal = isFinal
        self.reference = reference
    }

    package init(reading object: inout JSONObjectReader) throws(RequestFault) {
        money = try object.optionalMoney()
        isFinal = try object.optionalBool("final") ?? false
        reference = try object.optionalString("reference", length: referenceLength)
    }
}

/// `POST /v1/holds/{id}/void` has no members.
package struct VoidHoldRequest: WireDecodable, Hashable {
    package init() {}

    package init(reading object: inout JSONObjectReader) throws(RequestFault) {}
}

package enum HoldStatus: String, Sendable, Hashable, CaseIterable {
    case open
    /// Nothing is left: it was captured whole, or the rest was released by a final capture.
    case captured
    case voided
    case expired
}

/// A hold, as it is or, in the answer to its placing, as it was placed.
package struct HoldBody: WireEncodable, Hashable {
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

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("id", id.description)
            writer.member("source_wallet_id", sourceWalletID.description)
            writer.member("destination_wallet_id", destinationWalletID.description)
            writer.member("amount", money.amountMinor)
            writer.member("currency", money.currency.code)
            writer.member("status", status.rawValue)
            writer.member("captured_amount", capturedMinor)
            writer.member("remaining_amount", remainingMinor)
            writer.member("placed_at", placedAt.description)
            writer.member("expires_at", expiresAt.description)
        }
    }
}

/// The answer to a capture: the transfer, and the hold as the capture left it.
package struct HoldCapturedBody: WireEncodable, Hashable {
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
package struct HoldVoidedBody: WireEncodable, Hashable {
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
