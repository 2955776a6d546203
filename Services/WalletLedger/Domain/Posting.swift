package import Contracts

/// A decided posting: what is written, told and answered.
package struct Posting: Sendable, Hashable {
    package let transferID: TransferID
    package let kind: PostingKind
    package let money: Money
    package let originalTransferID: TransferID?
    package let holdID: HoldID?
    package let reference: String?
    package let debit: TransferLeg
    package let credit: TransferLeg
    package let postedAt: Timestamp
    /// The times of the two entries: the posting's, but for a wallet that is ahead; see ``PostingTimes``.
    package let debitedAt: Timestamp
    package let creditedAt: Timestamp

    package init(
        transferID: TransferID, kind: PostingKind, money: Money, originalTransferID: TransferID?, holdID: HoldID?, reference: String?,
        debit: TransferLeg, credit: TransferLeg, postedAt: Timestamp, debitedAt: Timestamp, creditedAt: Timestamp
    ) {
        self.transferID = transferID
        self.kind = kind
        self.money = money
        self.originalTransferID = originalTransferID
        self.holdID = holdID
        self.reference = reference
        self.debit = debit
        self.credit = credit
        self.postedAt = postedAt
        self.debitedAt = debitedAt
        self.creditedAt = creditedAt
    }

    /// The answer for somebody who may see the legs of the wallets that `mayRead` names.
    package func body(mayRead: (WalletID) -> Bool) -> TransferBody {
        var entries: [EntryBody] = []
        for (leg, time, index) in [(debit, debitedAt, UInt64(0)), (credit, creditedAt, UInt64(1))] where mayRead(leg.walletID) {
            entries.append(
                EntryBody(
                    id: transferID.entryID(leg: index), transferID: transferID, walletID: leg.walletID, walletVersion: leg.walletVersion,
                    amountMinor: leg.amountMinor, balanceAfterMinor: leg.balanceAfterMinor, postedAt: time))
        }
        return TransferBody(
            id: transferID, kind: kind, money: money, sourceWalletID: debit.walletID.isWorld ? nil : debit.walletID,
            destinationWalletID: credit.walletID.isWorld ? nil : credit.walletID, originalTransferID: originalTransferID,
            holdID: holdID, reference: reference, postedAt: postedAt, entries: entries)
    }

    package var event: TransferPosted {
        TransferPosted(
            transferID: transferID, kind: kind, money: money, originalTransferID: originalTransferID, holdID: holdID,
            reference: reference, postedAt: postedAt, legs: [debit, credit])
    }
}

extension WalletID {
    /// Whether this is one of the wallets of the world outside; see ``WorldWallet``.
    package var isWorld: Bool { uuid.halves.high == 0x7000 }
}
