extension ProblemCode {
    package static let atTooRecent = Self("at_too_recent", status: 400, title: "The requested time is too recent to be final")

    package static let referenceExists = Self("reference_exists", status: 409, title: "The reference has already been used")
    package static let holdNotOpen = Self("hold_not_open", status: 409, title: "The hold is not open")

    package static let insufficientFunds = Self(
        "insufficient_funds", status: 422, title: "The wallet's available balance does not cover the amount")
    package static let walletFrozen = Self("wallet_frozen", status: 422, title: "The wallet is frozen")
    package static let walletClosed = Self("wallet_closed", status: 422, title: "The wallet is closed")
    package static let currencyMismatch = Self("currency_mismatch", status: 422, title: "The currencies differ")
    package static let sameWallet = Self("same_wallet", status: 422, title: "Source and destination are the same wallet")
    package static let refundExceedsOriginal = Self(
        "refund_exceeds_original", status: 422, title: "The refunds would exceed the original transfer")
    package static let captureExceedsHold = Self(
        "capture_exceeds_hold", status: 422, title: "The amount exceeds what is left of the hold")
    package static let balanceOutOfRange = Self("balance_out_of_range", status: 422, title: "The balance would go out of range")
    package static let balanceNotZero = Self("balance_not_zero", status: 422, title: "The wallet's balance is not zero")
    package static let overdraftInUse = Self("overdraft_in_use", status: 422, title: "The overdraft in use exceeds the new limit")
    package static let walletLimitReached = Self(
        "wallet_limit_reached", status: 422, title: "The owner has reached the maximum number of open wallets")

    /// The ledger's own codes, in the order of their statuses.
    package static let walletLedger: [Self] = [
        atTooRecent, referenceExists, holdNotOpen, insufficientFunds, walletFrozen, walletClosed, currencyMismatch, sameWallet,
        refundExceedsOriginal, captureExceedsHold, balanceOutOfRange, balanceNotZero, overdraftInUse, walletLimitReached,
    ]
}
