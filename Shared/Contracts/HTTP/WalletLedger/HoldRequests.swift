package import StrictJSON

/// `POST /v1/holds`: sets an amount of a wallet aside for another wallet, until it is captured, voided or expires.
package struct PlaceHoldRequest: WireRequest {
    /// 31 days.
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
        expiresInSeconds = try object.optionalInteger("expires_in", in: 1...Self.longestSeconds) ?? Self.defaultSeconds
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("source_wallet_id", sourceWalletID.description)
            writer.member("destination_wallet_id", destinationWalletID.description)
            writer.members(money)
            writer.member("expires_in", expiresInSeconds)
        }
    }
}

/// `POST /v1/holds/{id}/capture`: takes a part of the hold, or all that is left of it when no amount is given.
package struct CaptureHoldRequest: WireRequest {
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
        reference = try object.optionalString("reference", length: PostingReference.length)
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            if let money { writer.members(money) }
            writer.member("final", isFinal)
            if let reference { writer.member("reference", reference) }
        }
    }
}

/// `POST /v1/holds/{id}/void` has no members.
package struct VoidHoldRequest: WireRequest {
    package init() {}

    package init(reading object: inout JSONObjectReader) throws(RequestFault) {}

    package func encode(into writer: inout JSONWriter) {
        writer.object { _ in }
    }
}
