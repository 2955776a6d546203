package import Contracts

/// Why the ledger refuses a posting or a change of a wallet. Every case but `notFound` is kept with the idempotency key: the same
/// request gets the same refusal again, whatever has changed since.
package enum TransferRejection: String, Error, Sendable, Hashable, CaseIterable {
    case notFound = "not_found"
    case sameWallet = "same_wallet"
    case currencyMismatch = "currency_mismatch"
    case walletFrozen = "wallet_frozen"
    case walletClosed = "wallet_closed"
    case insufficientFunds = "insufficient_funds"
    case balanceOutOfRange = "balance_out_of_range"
    case refundExceedsOriginal = "refund_exceeds_original"
    case captureExceedsHold = "capture_exceeds_hold"
    case holdNotOpen = "hold_not_open"
    case referenceExists = "reference_exists"
    case balanceNotZero = "balance_not_zero"
    case overdraftInUse = "overdraft_in_use"
    case walletLimitReached = "wallet_limit_reached"
}

/// A refusal with all that its answer names.
package struct Refusal: Error, Sendable, Hashable {
    package let rejection: TransferRejection
    /// The posting that has the reference already.
    package let conflict: TransferID?
    /// Of a batch, the first item that was refused.
    package let item: Int?
    /// Of a batch that has one reference twice, the item that has it before ``item``. Nothing of such a batch is posted, so there is no
    /// transfer to name.
    package let earlierItem: Int?

    package init(_ rejection: TransferRejection, conflict: TransferID? = nil, item: Int? = nil, earlierItem: Int? = nil) {
        self.rejection = rejection
        self.conflict = conflict
        self.item = item
        self.earlierItem = earlierItem
    }

    /// The same, naming the earlier item where the order itself has the reference twice.
    ///
    /// It follows from the order alone, so it is not kept; and where an earlier release kept the id of a transfer that was never posted, the
    /// repeat does without it.
    package func naming(itemOf order: LedgerOrder) -> Refusal {
        guard rejection == .referenceExists, let item, let earlier = order.earlierItem(withReferenceOf: item) else { return self }
        return Refusal(rejection, item: item, earlierItem: earlier)
    }
}
