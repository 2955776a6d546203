package import Contracts

/// A decided posting: what is written, told and answered. `postedAt` is set once per batch, after its last lock.
package struct Posting: Sendable, Hashable {
    package let transferID: TransferID
    package let kind: PostingKind
    package let money: Money
    package let originalTransferID: TransferID?
    package let holdID: HoldID?
    package let reference: String?
    package let debit: TransferLeg
    package let credit: TransferLeg

    package init(
        transferID: TransferID, kind: PostingKind, money: Money, originalTransferID: TransferID?, holdID: HoldID?, reference: String?,
        debit: TransferLeg, credit: TransferLeg
    ) {
        self.transferID = transferID
        self.kind = kind
        self.money = money
        self.originalTransferID = originalTransferID
        self.holdID = holdID
        self.reference = reference
        self.debit = debit
        self.credit = credit
    }

    /// The answer for somebody who may see the legs of the wallets that `mayRead` names.
    package func body(postedAt: Timestamp, mayRead: (WalletID) -> Bool) -> TransferBody {
        var entries: [EntryBody] = []
        for (leg, index) in [(debit, UInt64(0)), (credit, UInt64(1))] where mayRead(leg.walletID) {
            entries.append(
                EntryBody(
                    id: transferID.entryID(leg: index), transferID: transferID, walletID: leg.walletID, walletVersion: leg.walletVersion,
                    amountMinor: leg.amountMinor, balanceAfterMinor: leg.balanceAfterMinor, postedAt: postedAt))
        }
        return TransferBody(
            id: transferID, kind: kind, money: money, sourceWalletID: debit.walletID.isWorld ? nil : debit.walletID,
            destinationWalletID: credit.walletID.isWorld ? nil : credit.walletID, originalTransferID: originalTransferID,
            holdID: holdID, reference: reference, postedAt: postedAt, entries: entries)
    }

    package func event(postedAt: Timestamp) -> TransferPosted {
        TransferPosted(
            transferID: transferID, kind: kind, money: money, originalTransferID: originalTransferID, holdID: holdID,
            reference: reference, postedAt: postedAt, legs: [debit, credit])
    }
}

extension WalletID {
    /// Whether this is one of the wallets of the world outside; see ``WorldWallet``.
    package var isWorld: Bool { uuid.halves.high == 0x7000 }
}
