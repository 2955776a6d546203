/// Bounds and arithmetic of amounts: whole minor units (cents) as `Int64`, never a floating-point number.
package enum MinorUnits {
    /// 2⁵³ - 1, the largest whole number that every JSON reader keeps exactly. Amounts, balances and holds stay within ± this.
    package static let maximum: Int64 = 9_007_199_254_740_991
    package static let range = -maximum...maximum

    /// The sum, or `nil` when it leaves ± ``maximum``.
    package static func sum(_ left: Int64, _ right: Int64) -> Int64? {
        let (sum, overflow) = left.addingReportingOverflow(right)
        guard !overflow, range.contains(sum) else { return nil }
        return sum
    }
}

/// A positive amount of one currency: 1 … 9 007 199 254 740 991 minor units.
package struct Money: Sendable, Hashable {
    package let amountMinor: Int64
    package let currency: Currency

    package init?(amountMinor: Int64, currency: Currency) {
        guard amountMinor >= 1, amountMinor <= MinorUnits.maximum else { return nil }
        self.amountMinor = amountMinor
        self.currency = currency
    }
}
