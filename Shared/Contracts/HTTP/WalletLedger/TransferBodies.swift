package import StrictJSON

/// An own name for a posting, unique per principal for ever, that guards against a provider's late repeats.
let referenceLength = 1...64

/// `POST /v1/transfers`.
package struct TransferRequest: WireDecodable, Hashable {
    package let sourceWalletID: WalletID
    package let destinationWalletID: WalletID
    package let money: Money
    package let reference: String?

    package init(sourceWalletID: WalletID, destinationWalletID: WalletID, money: Money, reference: String? = nil) {
        self.sourceWalletID = sourceWalletID
        self.destinationWalletID = destinationWalletID
        self.money = money
        self.reference = reference
    }

    package init(reading object: inout JSONObjectReader) throws(RequestFault) {
        sourceWalletID = try object.identifier("source_wallet_id")
        destinationWalletID = try object.identifier("destination_wallet_id")
        money = try object.money()
        reference = try object.optionalString("reference", length: referenceLength)
    }
}

/// `POST /v1/deposits` and `POST /v1/withdrawals`: money from or to the world outside.
package struct FundingRequest: WireDecodable, Hashable {
    package let walletID: WalletID
    package let money: Money
    package let reference: String?

    package init(walletID: WalletID, money: Money, reference: String? = nil) {
        self.walletID = walletID
        self.money = money
        self.reference = reference
    }

    package init(reading object: inout JSONObjectReader) throws(RequestFault) {
        walletID = try object.identifier("wallet_id")
        money = try object.money()
        reference = try object.optionalString("reference", length: referenceLength)
    }
}

/// `POST /v1/transfers/{id}/refunds`: a part of the original, or all of it when no amount is given.
package struct RefundRequest: WireDecodable, Hashable {
    package let money: Money?
    package let reference: String?

    package init(money: Money? = nil, reference: String? = nil) {
        self.money = money
        self.reference = reference
    }

    package init(reading object: inout JSONObjectReader) throws(RequestFault) {
        money = try object.optionalMoney()
        reference = try object.optionalString("reference", length: referenceLength)
    }
}

package enum PostingKind: String, Sendable, Hashable, CaseIterable {
    case transfer
    case deposit
    case withdrawal
    case refund
    /// A part of a hold, taken.
    case capture
}

/// One leg of a posting, as its wallet saw it: `amount` is negative for a debit, `balance_after` the balance that it left.
package struct EntryBody: WireEncodable, Hashable {
    package let id: EntryID
    package let transferID: TransferID
    package let walletID: WalletID
    package let walletVersion: Int64
    package let amountMinor: Int64
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
package struct TransferBody: WireEncodable, Hashable {
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

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("id", id.description)
            writer.member("kind", kind.rawValue)
            writer.member("amount", money.amountMinor)
            writer.member("currency", money.currency.code)
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

/// One page of a list; `next_cursor` is opaque and there is none on the last page.
package struct PageBody<Item: WireEncodable & Hashable>: WireEncodable, Hashable {
    package let items: [Item]
    package let nextCursor: String?

    package init(items: [Item], nextCursor: String?) {
        self.items = items
        self.nextCursor = nextCursor
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in encodeMembers(into: &writer) }
    }

    /// The page as members of an object that has more of them.
    func encodeMembers(into writer: inout JSONWriter) {
        writer.name("data")
        writer.array { writer in
            for item in items { item.encode(into: &writer) }
        }
        if let nextCursor { writer.member("next_cursor", nextCursor) } else { writer.memberNull("next_cursor") }
        writer.member("has_more", nextCursor != nil)
    }
}
