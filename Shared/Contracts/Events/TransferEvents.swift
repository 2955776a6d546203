package import StrictJSON

/// The event types of postings; each is its routing key.
package enum TransferEventType: String, EventType {
    case posted = "ledger.transfer.posted.v1"
    case refunded = "ledger.transfer.refunded.v1"

    package static let producer = "wallet-ledger"
}

/// One leg of a posting in an event.
package struct TransferLeg: Sendable, Hashable {
    package let walletID: WalletID
    /// The wallet's own counter, which this leg raised by one.
    package let walletVersion: Int64
    /// Minor units; negative for the debit, positive for the credit.
    package let amountMinor: Int64
    /// The wallet's balance that the leg left, in minor units: all of it, what holds set aside included. Negative within an overdraft. Nil
    /// for a wallet of the world outside whose balance has left ± 2⁵³.
    package let balanceAfterMinor: Int64?

    package init(walletID: WalletID, walletVersion: Int64, amountMinor: Int64, balanceAfterMinor: Int64?) {
        self.walletID = walletID
        self.walletVersion = walletVersion
        self.amountMinor = amountMinor
        self.balanceAfterMinor = balanceAfterMinor
    }

    fileprivate init(reading object: inout JSONObjectReader) throws(RequestFault) {
        walletID = try object.identifier("wallet_id")
        walletVersion = try object.version("wallet_version")
        amountMinor = try object.amount("amount", in: MinorUnits.range)
        balanceAfterMinor = try object.optionalAmount("balance_after", in: MinorUnits.range)
    }
}

/// `ledger.transfer.posted.v1` and, with the original named, `ledger.transfer.refunded.v1`. The subject is the transfer, the
/// partition key the debited wallet.
package struct TransferPostedEvent: EventPayload {
    package let transferID: TransferID
    package let kind: PostingKind
    /// What was moved, always positive.
    package let money: Money
    /// Of a refund.
    package let originalTransferID: TransferID?
    /// Of a capture.
    package let holdID: HoldID?
    /// The orderer's own name for it.
    package let reference: String?
    package let postedAt: Timestamp
    /// The debit first, then the credit.
    package let legs: [TransferLeg]

    private static let legCount = 2...2

    package init(
        transferID: TransferID, kind: PostingKind, money: Money, originalTransferID: TransferID?, holdID: HoldID? = nil,
        reference: String?, postedAt: Timestamp, legs: [TransferLeg]
    ) {
        self.transferID = transferID
        self.kind = kind
        self.money = money
        self.originalTransferID = originalTransferID
        self.holdID = holdID
        self.reference = reference
        self.postedAt = postedAt
        self.legs = legs
    }

    package static let types: [TransferEventType] = [.posted, .refunded]

    package var type: TransferEventType { kind == .refund ? .refunded : .posted }
    package var subject: String { transferID.description }
    package var partitionKey: String { legs.first?.walletID.description ?? "" }

    package init(reading object: inout JSONObjectReader, type: TransferEventType) throws(RequestFault) {
        transferID = try object.identifier("transfer_id")
        kind = try object.choice("kind")
        money = try object.recordedMoney()
        originalTransferID = try object.optionalIdentifier("original_transfer_id")
        holdID = try object.optionalIdentifier("hold_id")
        reference = try object.optionalString("reference", length: recordedTextLength)
        postedAt = try object.time("posted_at")
        legs = try object.openItems("legs", count: Self.legCount) { (leg: inout JSONObjectReader) throws(RequestFault) in
            try TransferLeg(reading: &leg)
        }
        guard (kind == .refund) == (type == .refunded) else {
            throw object.refusal("kind", "Contradicts the type of the event.")
        }
        guard kind != .refund || originalTransferID != nil else { throw object.refusal("original_transfer_id", "Required.") }
        // Consumers take the first leg for the debit and the second for the credit.
        guard legs[0].amountMinor < 0 else { throw object.refusal("legs/0/amount", "Must be negative: the first leg is the debit.") }
        guard legs[1].amountMinor > 0 else { throw object.refusal("legs/1/amount", "Must be positive: the second leg is the credit.") }
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("transfer_id", transferID.description)
            writer.member("kind", kind.rawValue)
            writer.members(money)
            if let originalTransferID { writer.member("original_transfer_id", originalTransferID.description) }
            if let holdID { writer.member("hold_id", holdID.description) }
            if let reference { writer.member("reference", reference) }
            writer.member("posted_at", postedAt.description)
            writer.name("legs")
            writer.array { writer in
                for leg in legs {
                    writer.object { writer in
                        writer.member("wallet_id", leg.walletID.description)
                        writer.member("wallet_version", leg.walletVersion)
                        writer.member("amount", leg.amountMinor)
                        if let balance = leg.balanceAfterMinor { writer.member("balance_after", balance) }
                    }
                }
            }
        }
    }
}
