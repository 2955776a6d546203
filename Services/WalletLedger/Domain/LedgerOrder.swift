package import Contracts

/// What one request wants decided, as a whole and under one key.
package enum LedgerOrder: Sendable, Hashable {
    case posting(PostingOrder)
    /// All or nothing, decided in order. 500 at most.
    case atomic([PostingOrder])
    case placeHold(PlaceHoldOrder)
    case capture(CaptureOrder)
    case endHold(EndHoldOrder)

    /// The wallets to lock, some more than once.
    package var walletIDs: [WalletID] {
        switch self {
        case .posting(let order): order.walletIDs
        case .atomic(let orders): orders.flatMap(\.walletIDs)
        case .placeHold(let order): [order.hold.walletID, order.hold.destinationWalletID]
        case .capture(let order): [order.hold.walletID, order.hold.destinationWalletID]
        case .endHold(let order): [order.hold.walletID]
        }
    }

    /// An earlier posting that it is about.
    package var original: OriginalTransfer? {
        if case .posting(let order) = self { order.original } else { nil }
    }

    /// A hold that is already placed and that it is about.
    package var holdID: HoldID? {
        switch self {
        case .posting, .atomic, .placeHold: nil
        case .capture(let order): order.hold.id
        case .endHold(let order): order.hold.id
        }
    }

    /// The references that it wants.
    package var references: [String] {
        switch self {
        case .posting(let order): order.reference.map { [$0] } ?? []
        case .atomic(let orders): orders.compactMap(\.reference)
        case .capture(let order): order.reference.map { [$0] } ?? []
        case .placeHold, .endHold: []
        }
    }

    /// Of an atomic batch, the first item before this one that has its reference.
    func earlierItem(withReferenceOf index: Int) -> Int? {
        guard case .atomic(let orders) = self, orders.indices.contains(index), let reference = orders[index].reference else { return nil }
        return orders[..<index].firstIndex { order in order.reference.map { ExactText($0) == ExactText(reference) } == true }
    }

    /// How much of a batch it fills.
    package var size: Int {
        if case .atomic(let orders) = self { orders.count } else { 1 }
    }

    /// As whom it comes; nobody for what the ledger does by itself.
    package var access: WalletAccess? {
        switch self {
        case .posting(let order): order.access
        case .atomic(let orders): orders.first?.access
        case .placeHold(let order): order.access
        case .capture(let order): order.access
        case .endHold(let order): order.access
        }
    }
}

/// What was decided: what is written, told and answered.
package enum LedgerDecision: Sendable, Hashable {
    case posting(Posting)
    case atomic([Posting])
    case hold(HoldChange)
    case capture(Posting, HoldChange)
}
