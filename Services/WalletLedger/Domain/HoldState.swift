package import Contracts

/// A hold as its row shows it, read under the lock of its wallet.
package struct HoldState: Sendable, Hashable {
    package let terms: HoldTerms
    package let placedBy: String
    package let placedAt: Timestamp
    package let expiresAt: Timestamp
    package var capturedMinor: Int64
    package var status: HoldStatus

    package init(
        terms: HoldTerms, placedBy: String, placedAt: Timestamp, expiresAt: Timestamp, capturedMinor: Int64 = 0, status: HoldStatus = .open
    ) {
        self.terms = terms
        self.placedBy = placedBy
        self.placedAt = placedAt
        self.expiresAt = expiresAt
        self.capturedMinor = capturedMinor
        self.status = status
    }

    /// What it still sets aside.
    package var remainingMinor: Int64 { status == .open ? terms.money.amountMinor - capturedMinor : 0 }

    package func hasExpired(at now: Timestamp) -> Bool { expiresAt <= now }

    package var body: HoldBody {
        HoldBody(
            id: terms.id, sourceWalletID: terms.walletID, destinationWalletID: terms.destinationWalletID, money: terms.money,
            status: status, capturedMinor: capturedMinor, remainingMinor: remainingMinor, placedAt: placedAt, expiresAt: expiresAt)
    }
}

/// One decided change of a hold. Append only; the hold and what its wallet sets aside follow from its changes.
package struct HoldChange: Sendable, Hashable {
    package let kind: HoldChangeKind
    /// The hold as the change left it.
    package let hold: HoldState
    /// Captured by this change, and given back by it.
    package let capturedMinor: Int64
    package let releasedMinor: Int64
    package let walletVersion: Int64
    /// What all holds of the wallet set aside after it.
    package let walletHeldMinor: Int64
    package let transferID: TransferID?
    package let eventID: EventID
    package let changedAt: Timestamp

    package init(
        kind: HoldChangeKind, hold: HoldState, capturedMinor: Int64 = 0, releasedMinor: Int64 = 0, walletVersion: Int64,
        walletHeldMinor: Int64, transferID: TransferID? = nil, eventID: EventID, changedAt: Timestamp
    ) {
        self.kind = kind
        self.hold = hold
        self.capturedMinor = capturedMinor
        self.releasedMinor = releasedMinor
        self.walletVersion = walletVersion
        self.walletHeldMinor = walletHeldMinor
        self.transferID = transferID
        self.eventID = eventID
        self.changedAt = changedAt
    }

    package var event: HoldChangedEvent {
        HoldChangedEvent(
            kind: kind, holdID: hold.terms.id, walletID: hold.terms.walletID, walletVersion: walletVersion,
            destinationWalletID: hold.terms.destinationWalletID, money: hold.terms.money, status: hold.status,
            capturedMinor: capturedMinor, releasedMinor: releasedMinor, remainingMinor: hold.remainingMinor,
            walletHeldMinor: walletHeldMinor, transferID: transferID, expiresAt: hold.expiresAt, changedAt: changedAt)
    }

    package var voidedBody: HoldVoidedBody {
        HoldVoidedBody(
            holdID: hold.terms.id, status: hold.status, capturedMinor: hold.capturedMinor, releasedMinor: releasedMinor,
            walletID: hold.terms.walletID, walletVersion: walletVersion, endedAt: changedAt)
    }

    package func capturedBody(_ transfer: TransferBody) -> HoldCapturedBody {
        HoldCapturedBody(
            holdID: hold.terms.id, status: hold.status, capturedMinor: hold.capturedMinor, remainingMinor: hold.remainingMinor,
            releasedMinor: releasedMinor, transfer: transfer)
    }
}
