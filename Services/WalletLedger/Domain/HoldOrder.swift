package import Contracts

/// What of a hold never changes.
package struct HoldTerms: Sendable, Hashable {
    package let id: HoldID
    /// Whose money it sets aside.
    package let walletID: WalletID
    /// For whom.
    package let destinationWalletID: WalletID
    package let money: Money

    package init(id: HoldID, walletID: WalletID, destinationWalletID: WalletID, money: Money) {
        self.id = id
        self.walletID = walletID
        self.destinationWalletID = destinationWalletID
        self.money = money
    }
}

/// Ids in orders are chosen before the first try, so that a batch that runs again writes the same.
package struct PlaceHoldOrder: Sendable, Hashable {
    package let hold: HoldTerms
    package let lastsSeconds: Int64
    package let eventID: EventID
    package let access: WalletAccess

    package init(hold: HoldTerms, lastsSeconds: Int64, eventID: EventID, access: WalletAccess) {
        self.hold = hold
        self.lastsSeconds = lastsSeconds
        self.eventID = eventID
        self.access = access
    }
}

package struct CaptureOrder: Sendable, Hashable {
    package let hold: HoldTerms
    /// Without it, all that is left.
    package let money: Money?
    /// Gives back what is left afterwards.
    package let isFinal: Bool
    package let reference: String?
    package let transferID: TransferID
    package let eventID: EventID
    package let access: WalletAccess

    package init(
        hold: HoldTerms, money: Money?, isFinal: Bool, reference: String?, transferID: TransferID, eventID: EventID, access: WalletAccess
    ) {
        self.hold = hold
        self.money = money
        self.isFinal = isFinal
        self.reference = reference
        self.transferID = transferID
        self.eventID = eventID
        self.access = access
    }
}

package struct EndHoldOrder: Sendable, Hashable {
    package let hold: HoldTerms
    package let eventID: EventID
    /// Who voids it; the ledger itself ends one that has expired.
    package let access: WalletAccess?

    package init(hold: HoldTerms, eventID: EventID, access: WalletAccess?) {
        self.hold = hold
        self.eventID = eventID
        self.access = access
    }
}
