package import Contracts

/// Money that left a customer's wallet: what the rules judge.
///
/// A deposit is none: the wallet that it debits is the world outside. A refund is none either: it gives back money that was judged
/// when it was paid, never more of it, and only to the one who paid; a shop that takes back a faulty batch is not suspicious.
package struct CustomerDebit: Sendable, Hashable {
    package let walletID: WalletID
    package let transferID: TransferID
    package let money: Money
    /// When the ledger posted it.
    package let occurredAt: Timestamp

    package init(walletID: WalletID, transferID: TransferID, money: Money, occurredAt: Timestamp) {
        self.walletID = walletID
        self.transferID = transferID
        self.money = money
        self.occurredAt = occurredAt
    }

    /// The debit that a posting makes, nil when it is none of a customer's wallet or none to judge.
    package init?(_ posting: TransferPostedEvent) {
        switch posting.kind {
        case .transfer, .withdrawal, .capture: break
        case .deposit, .refund: return nil
        }
        // The first leg is the debit.
        guard let debit = posting.legs.first else { return nil }
        self.init(walletID: debit.walletID, transferID: posting.transferID, money: posting.money, occurredAt: posting.postedAt)
    }

    /// The order in which a wallet's debits are counted; the id only makes it one order.
    package static func precedes(_ left: CustomerDebit, _ right: CustomerDebit) -> Bool {
        (left.occurredAt, left.transferID) < (right.occurredAt, right.transferID)
    }
}
