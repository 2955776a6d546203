package import Contracts

/// The state that a batch decides on: locked wallets, holds, refund totals and taken references, each changed by what was decided before.
///
/// Pure and in arrival order: the same state and the same orders give the same postings.
package struct LedgerBatch: Sendable {
    package private(set) var wallets: [WalletID: WalletState]
    /// Refunded so far, by original transfer, in minor units.
    package private(set) var refunded: [TransferID: Int64]
    /// The holds that an order of this batch is about.
    package private(set) var holds: [HoldID: HoldState]
    private var references: [Reference: TransferID]
    /// The times that it gives out; the expiry of holds is judged by their clock.
    package let times: PostingTimes
    /// The wallets that a posting of this batch has changed.
    package private(set) var changedWallets: Set<WalletID> = []

    /// A reference is unique per principal, by its bytes as in the index that guards it.
    package struct Reference: Sendable, Hashable {
        package let principal: ExactText
        package let text: ExactText

        package init(principal: String, text: String) {
            self.principal = ExactText(principal)
            self.text = ExactText(text)
        }
    }

    package init(
        wallets: [WalletID: WalletState], refunded: [TransferID: Int64] = [:], holds: [HoldID: HoldState] = [:],
        references: [Reference: TransferID] = [:], times: PostingTimes
    ) {
        self.wallets = wallets
        self.refunded = refunded
        self.holds = holds
        self.references = references
        self.times = times
    }

    /// Decides one order and, when it is accepted, applies it.
    ///
    /// - Throws: ``Refusal``; the state is then as before.
    package mutating func decide(_ order: LedgerOrder) throws(Refusal) -> LedgerDecision {
        switch order {
        case .posting(let posting): return .posting(try decideNaming(posting))
        case .atomic(let orders):
            var copy = self
            var postings: [Posting] = []
            postings.reserveCapacity(orders.count)
            for (index, item) in orders.enumerated() {
                do throws(Refusal) {
                    postings.append(try copy.decideNaming(item, item: index))
                } catch {
                    // The copy is thrown away, and with it the ids of what it posted.
                    throw error.naming(itemOf: order)
                }
            }
            self = copy
            return .atomic(postings)
        case .placeHold(let order):
            do throws(TransferRejection) { return .hold(try place(order)) } catch { throw Refusal(error) }
        case .endHold(let order):
            do throws(TransferRejection) { return .hold(try end(order)) } catch { throw Refusal(error) }
        case .capture(let order):
            let before = wallets[order.hold.walletID]
            let posting: PostingOrder
            do throws(TransferRejection) { posting = try captureOrder(order) } catch { throw Refusal(error) }
            do throws(Refusal) {
                let decided = try decideNaming(posting)
                return .capture(decided, take(order, decided))
            } catch {
                // What the capture took out of the holds goes back.
                if let before { replace(before) }
                throw error
            }
        }
    }

    private mutating func decideNaming(_ order: PostingOrder, item: Int? = nil) throws(Refusal) -> Posting {
        do throws(TransferRejection) {
            return try decide(order)
        } catch {
            throw Refusal(error, conflict: error == .referenceExists ? holder(ofReferenceOf: order) : nil, item: item)
        }
    }

    /// Decides one posting and, when it is accepted, applies it.
    ///
    /// - Throws: ``TransferRejection``; the state is then as before.
    package mutating func decide(_ order: PostingOrder) throws(TransferRejection) -> Posting {
        let (source, destination) = try reachableWallets(of: order)
        guard source.id != destination.id else { throw .sameWallet }
        guard source.currency == order.money.currency, destination.currency == order.money.currency else { throw .currencyMismatch }
        // A closed wallet is the more lasting reason, so it is named first, whichever side it is on.
        guard source.status != .closed, destination.status != .closed else { throw .walletClosed }
        let refundedAfter = try refundedTotal(after: order)
        let postedAt = times.time(of: source, destination)
        let debited = try source.debited(by: order.money.amountMinor, at: postedAt)
        let credited = try destination.credited(by: order.money.amountMinor, at: postedAt)
        if let text = order.reference {
            let reference = Reference(principal: order.access.principal, text: text)
            guard references[reference] == nil else { throw .referenceExists }
            references[reference] = order.transferID
        }
        wallets[debited.id] = debited
        wallets[credited.id] = credited
        changedWallets.insert(debited.id)
        changedWallets.insert(credited.id)
        if let original = order.original { refunded[original.id] = refundedAfter }
        return Posting(
            transferID: order.transferID, kind: order.kind, money: order.money, originalTransferID: order.original?.id,
            holdID: order.holdID, reference: order.reference,
            debit: PostingLeg(
                walletID: debited.id, walletVersion: debited.version, amountMinor: -order.money.amountMinor,
                balanceAfterMinor: debited.balanceMinor, postedAt: debited.lastPostedAt),
            credit: PostingLeg(
                walletID: credited.id, walletVersion: credited.version, amountMinor: order.money.amountMinor,
                balanceAfterMinor: credited.balanceMinor, postedAt: credited.lastPostedAt), postedAt: postedAt)
    }

    /// A wallet and a hold as an order of this batch left them.
    mutating func apply(_ wallet: WalletState, _ hold: HoldState) {
        wallets[wallet.id] = wallet
        changedWallets.insert(wallet.id)
        replace(hold)
    }

    mutating func replace(_ wallet: WalletState) { wallets[wallet.id] = wallet }

    mutating func replace(_ hold: HoldState) { holds[hold.terms.id] = hold }

    /// The posting that has the order's reference already.
    func holder(ofReferenceOf order: PostingOrder) -> TransferID? {
        order.reference.flatMap { references[Reference(principal: order.access.principal, text: $0)] }
    }

    /// Both wallets, when they exist and the principal may order this: money leaves only wallets that the principal reaches, and
    /// only deposits and withdrawals (and their refunds) touch the world outside.
    private func reachableWallets(of order: PostingOrder) throws(TransferRejection) -> (source: WalletState, destination: WalletState) {
        guard let source = wallets[order.sourceWalletID], let destination = wallets[order.destinationWalletID] else {
            // The world has wallets of every currency in which a wallet was opened, so one that it lacks is not this wallet's.
            if let known = wallets[order.sourceWalletID] ?? wallets[order.destinationWalletID], order.kind == .deposit || order.kind == .withdrawal,
                !known.isWorld, order.access.reaches(known)
            {
                throw .currencyMismatch
            }
            throw .notFound
        }
        switch order.kind {
        case .transfer:
            guard order.access.reaches(source), !source.isWorld, !destination.isWorld else { throw .notFound }
        case .deposit:
            guard source.isWorld, !destination.isWorld, order.access.reaches(destination) else { throw .notFound }
        case .withdrawal:
            guard destination.isWorld, !source.isWorld, order.access.reaches(source) else { throw .notFound }
        case .refund, .capture:
            // A refund is the debit of the wallet that received the money: its owner or staff. What the world received only staff
            // may return. A capture is one of the wallet whose money is held.
            guard order.access.reaches(source) else { throw .notFound }
        }
        return (source, destination)
    }

    private func refundedTotal(after order: PostingOrder) throws(TransferRejection) -> Int64 {
        guard let original = order.original else { return 0 }
        // Nothing of a refund can be refunded.
        guard original.kind != .refund else { throw .refundExceedsOriginal }
        guard let total = MinorUnits.sum(refunded[original.id] ?? 0, order.money.amountMinor), total <= original.money.amountMinor else {
            throw .refundExceedsOriginal
        }
        return total
    }
}
