import StrictJSON

extension JSONWriter {
    /// The members `amount` and `currency`.
    mutating func members(_ money: Money) {
        member("amount", money.amountMinor)
        member("currency", money.currency.code)
    }
}
