package import Contracts

/// A decided posting: what is written, told and answered.
package struct Posting: Sendable, Hashable {
    package let transferID: TransferID
    package let kind: PostingKind
    package let money: Money
    package let originalTransferID: TransferID?
    package let holdID: HoldID?
    package let reference: String?
    package let debit: PostingLeg
    package let credit: PostingLeg
    package let postedAt: Timestamp

    package init(
        transferID: TransferID, kind: PostingKind, money: Money, originalTransferID: TransferID?, holdID: HoldID?, reference: String?,
        debit: PostingLeg, credit: PostingLeg, postedAt: Timestamp
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
    }

    /// The answer for somebody who may see the legs of the wallets that `mayRead` names.
    package func body(mayRead: (WalletID) -> Bool) -> TransferBody {
        var entries: [EntryBody] = []
        for (leg, id) in [(debit, transferID.debitEntryID), (credit, transferID.creditEntryID)] where mayRead(leg.walletID) {
            entries.append(
                EntryBody(
                    id: id, transferID: transferID, walletID: leg.walletID, walletVersion: leg.walletVersion,
                    amountMinor: leg.amountMinor, balanceAfterMinor: leg.balanceAfterMinor, postedAt: leg.postedAt))
        }
        return TransferBody(
            id: transferID, kind: kind, money: money, sourceWalletID: debit.walletID.isWorld ? nil : debit.walletID,
            destinationWalletID: credit.walletID.isWorld ? nil : credit.walletID, originalTransferID: originalTransferID,
            holdID: holdID, reference: reference, postedAt: postedAt, entries: entries)
    }

    package var event: TransferPostedEvent {
        TransferPostedEvent(
            transferID: transferID, kind: kind, money: money, originalTransferID: originalTransferID, holdID: holdID,
            reference: reference, postedAt: postedAt, legs: [TransferLeg(debit), TransferLeg(credit)])
    }
}

/// One leg of a posting, as its wallet's row and its entry have it.
package struct PostingLeg: Sendable, Hashable {
    package let walletID: WalletID
    package let walletVersion: Int64
    package let amountMinor: Int64
    package let balanceAfterMinor: Int64
    /// The posting's time, but for a wallet that is ahead; see ``PostingTimes``.
    package let postedAt: Timestamp

    package init(walletID: WalletID, walletVersion: Int64, amountMinor: Int64, balanceAfterMinor: Int64, postedAt: Timestamp) {
        self.walletID = walletID
        self.walletVersion = walletVersion
        self.amountMinor = amountMinor
        self.balanceAfterMinor = balanceAfterMinor
        self.postedAt = postedAt
    }
}

extension TransferLeg {
    /// Leaves out a balance that not every JSON reader would keep exactly; only the world outside has such.
    fileprivate init(_ leg: PostingLeg) {
        self.init(
            walletID: leg.walletID, walletVersion: leg.walletVersion, amountMinor: leg.amountMinor,
            balanceAfterMinor: MinorUnits.range.contains(leg.balanceAfterMinor) ? leg.balanceAfterMinor : nil)
    }
}

extension WalletID {
    /// Whether this is one of the wallets of the world outside; see ``WorldWallet``.
    package var isWorld: Bool { uuid.halves.high == 0x7000 }
}
