package import StrictJSON

package enum PostingKind: String, Sendable, Hashable, CaseIterable {
    case transfer
    case deposit
    case withdrawal
    case refund
    /// A part of a hold, taken.
    case capture
}

/// One leg of a posting, as its wallet saw it.
package struct EntryBody: WireBody {
    package let id: EntryID
    package let transferID: TransferID
    package let walletID: WalletID
    package let walletVersion: Int64
    /// Negative for a debit.
    package let amountMinor: Int64
    /// The wallet's balance that the leg left, what holds set aside included.
    package let balanceAfterMinor: Int64
    package let postedAt: Timestamp

    package init(
        id: EntryID, transferID: TransferID, walletID: WalletID, walletVersion: Int64, amountMinor: Int64, balanceAfterMinor: Int64,
        postedAt: Timestamp
    ) {
        self.id = id
        self.transferID = transferID
        self.walletID = walletID
        self.walletVersion = walletVersion
        self.amountMinor = amountMinor
        self.balanceAfterMinor = balanceAfterMinor
        self.postedAt = postedAt
    }

    package init(reading object: inout JSONObjectReader) throws(RequestFault) {
        id = try object.identifier("id")
        transferID = try object.identifier("transfer_id")
        walletID = try object.identifier("wallet_id")
        walletVersion = try object.version("wallet_version")
        amountMinor = try object.amount("amount", in: MinorUnits.range)
        balanceAfterMinor = try object.amount("balance_after", in: MinorUnits.range)
        postedAt = try object.time("posted_at")
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("id", id.description)
            writer.member("transfer_id", transferID.description)
            writer.member("wallet_id", walletID.description)
            writer.member("wallet_version", walletVersion)
            writer.member("amount", amountMinor)
            writer.member("balance_after", balanceAfterMinor)
            writer.member("posted_at", postedAt.description)
        }
    }
}

/// A posting. Holds only facts that never change, so the answer to a repeat is rendered from the rows again.
///
/// A wallet of the world outside is not shown, and `entries` holds only the legs of wallets that the reader may read:
/// who pays somebody does not learn that somebody's balance.
package struct TransferBody: WireBody {
    private static let legs = 0...2

    package let id: TransferID
    package let kind: PostingKind
    package let money: Money
    package let sourceWalletID: WalletID?
    package let destinationWalletID: WalletID?
    package let originalTransferID: TransferID?
    /// Of a capture.
    package let holdID: HoldID?
    package let reference: String?
    package let postedAt: Timestamp
    package let entries: [EntryBody]

    package init(
        id: TransferID, kind: PostingKind, money: Money, sourceWalletID: WalletID?, destinationWalletID: WalletID?,
        originalTransferID: TransferID?, holdID: HoldID? = nil, reference: String?, postedAt: Timestamp, entries: [EntryBody]
    ) {
        self.id = id
        self.kind = kind
        self.money = money
        self.sourceWalletID = sourceWalletID
        self.destinationWalletID = destinationWalletID
        self.originalTransferID = originalTransferID
        self.holdID = holdID
        self.reference = reference
        self.postedAt = postedAt
        self.entries = entries
    }

    package init(reading object: inout JSONObjectReader) throws(RequestFault) {
        id = try object.identifier("id")
        kind = try object.choice("kind")
        money = try object.recordedMoney()
        sourceWalletID = try object.optionalIdentifier("source_wallet_id")
        destinationWalletID = try object.optionalIdentifier("destination_wallet_id")
        originalTransferID = try object.optionalIdentifier("original_transfer_id")
        holdID = try object.optionalIdentifier("hold_id")
        reference = try object.optionalString("reference", length: recordedTextLength)
        postedAt = try object.time("posted_at")
        entries = try object.items("entries", count: Self.legs)
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("id", id.description)
            writer.member("kind", kind.rawValue)
            writer.members(money)
            if let sourceWalletID { writer.member("source_wallet_id", sourceWalletID.description) }
            if let destinationWalletID { writer.member("destination_wallet_id", destinationWalletID.description) }
            if let originalTransferID { writer.member("original_transfer_id", originalTransferID.description) }
            if let holdID { writer.member("hold_id", holdID.description) }
            if let reference { writer.member("reference", reference) }
            writer.member("posted_at", postedAt.description)
            writer.name("entries")
            writer.array { writer in
                for entry in entries { entry.encode(into: &writer) }
            }
        }
    }
}
