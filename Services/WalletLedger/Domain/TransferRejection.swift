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
}

/// A refusal with all that its answer names.
package struct Refusal: Error, Sendable, Hashable {
    package let rejection: TransferRejection
    /// The posting that has the reference already.
    package let conflict: TransferID?
    /// Of a batch, the first item that was refused.
    package let item: Int?

    package init(_ rejection: TransferRejection, conflict: TransferID? = nil, item: Int? = nil) {
        self.rejection = rejection
        self.conflict = conflict
        self.item = item
    }
}
