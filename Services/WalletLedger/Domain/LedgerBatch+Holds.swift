import Contracts

// Holds: available = balance - held. Of capture, void and expiry the first under the wallet's lock wins.
extension LedgerBatch {
    mutating func place(_ order: PlaceHoldOrder) throws(TransferRejection) -> HoldChange {
        let terms = order.hold
        guard let source = wallets[terms.walletID], let destination = wallets[terms.destinationWalletID], order.access.reaches(source),
            !source.isWorld, !destination.isWorld
        else { throw .notFound }
        guard source.id != destination.id else { throw .sameWallet }
        guard source.currency == terms.money.currency, destination.currency == terms.money.currency else { throw .currencyMismatch }
        guard source.status != .closed, destination.status != .closed else { throw .walletClosed }
        let placedAt = times.time(of: source)
        let holding = try source.holding(terms.money.amountMinor, at: placedAt)
        let hold = HoldState(
            terms: terms, placedBy: order.access.principal, placedAt: placedAt, expiresAt: placedAt.later(by: .seconds(order.lastsSeconds)))
        apply(holding, hold)
        return HoldChange(
            kind: .placed, hold: hold, walletVersion: holding.version, walletHeldMinor: holding.heldMinor, eventID: order.eventID,
            changedAt: placedAt)
    }

    mutating func end(_ order: EndHoldOrder) throws(TransferRejection) -> HoldChange {
        guard var hold = holds[order.hold.id], let wallet = wallets[order.hold.walletID] else { throw .notFound }
        if let access = order.access, !access.reaches(wallet) { throw .notFound }
        // Only the ledger ends what has expired, and only that.
        guard hold.status == .open, hold.hasExpired(at: times.clock) == (order.access == nil) else { throw .holdNotOpen }
        let released = hold.remainingMinor
        let endedAt = times.time(of: wallet)
        let after = wallet.released(released, at: endedAt)
        hold.status = order.access == nil ? .expired : .voided
        apply(after, hold)
        return HoldChange(
            kind: order.access == nil ? .expired : .voided, hold: hold, releasedMinor: released, walletVersion: after.version,
            walletHeldMinor: after.heldMinor, eventID: order.eventID, changedAt: endedAt)
    }

    /// The posting of a capture. What it takes is set aside no longer, so that the wallet's floor lets it pass.
    ///
    /// - Throws: ``TransferRejection``; the state is then as before.
    mutating func captureOrder(_ order: CaptureOrder) throws(TransferRejection) -> PostingOrder {
        guard let hold = holds[order.hold.id], var wallet = wallets[order.hold.walletID], order.access.reaches(wallet) else {
            throw .notFound
        }
        guard hold.status == .open, !hold.hasExpired(at: times.clock) else { throw .holdNotOpen }
        let remaining = hold.remainingMinor
        guard let money = order.money ?? Money(amountMinor: remaining, currency: order.hold.money.currency) else { throw .holdNotOpen }
        guard money.currency == order.hold.money.currency else { throw .currencyMismatch }
        guard money.amountMinor <= remaining else { throw .captureExceedsHold }
        wallet.heldMinor -= order.isFinal ? remaining : money.amountMinor
        replace(wallet)
        return .capture(money, of: order.hold, reference: order.reference, id: order.transferID, access: order.access)
    }

    /// The hold after its capture was posted.
    mutating func take(_ order: CaptureOrder, _ posting: Posting) -> HoldChange {
        guard var hold = holds[order.hold.id], let wallet = wallets[order.hold.walletID] else {
            preconditionFailure("a capture was posted without its hold")
        }
        hold.capturedMinor += posting.money.amountMinor
        let rest = hold.remainingMinor
        if order.isFinal || rest == 0 { hold.status = .captured }
        replace(hold)
        return HoldChange(
            kind: .captured, hold: hold, capturedMinor: posting.money.amountMinor, releasedMinor: order.isFinal ? rest : 0,
            walletVersion: posting.debit.walletVersion, walletHeldMinor: wallet.heldMinor, transferID: posting.transferID,
            eventID: order.eventID, changedAt: posting.postedAt)
    }
}
