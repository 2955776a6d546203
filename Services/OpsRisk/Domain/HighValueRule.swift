package import Contracts

/// One debit at or above its currency's threshold.
///
/// A currency that is named has its threshold in its own minor units. `*` is every other one, as hundredths of a euro: `*=1000000` is
/// 10 000 euros, 10 000 dollars, 1 000 000 yen; see ``CurrencyWorth``.
package struct HighValueRule: Sendable, Hashable {
    package static let expected =
        "amounts by currency, each once, in minor units, and for * in hundredths of a euro, like EUR=1000000,JPY=1500000,*=5000000"
    private static let everyOther = "*"

    private let thresholds: [Currency: Int64]
    /// Of the currencies that are not named, in hundredths of a euro; nil never strikes for them.
    private let otherThreshold: Int64?

    /// What is wrong with the text of a setting; it quotes nothing of it.
    package struct Fault: Error, Sendable, Hashable, CustomStringConvertible {
        package let description: String
    }

    /// Reads `EUR=1000000,USD=1000000,*=5000000`.
    package init(text: String) throws(Fault) {
        var thresholds: [Currency: Int64] = [:]
        var other: Int64?
        for (index, entry) in text.split(separator: ",", omittingEmptySubsequences: false).enumerated() {
            func fault(_ what: String) -> Fault { Fault(description: "entry \(index + 1) \(what)") }
            let parts = entry.split(separator: "=", omittingEmptySubsequences: false)
            guard parts.count == 2 else { throw fault("is not currency=amount") }
            guard let amount = DecimalDigits.number(parts[1], as: Int64.self), (1...MinorUnits.maximum).contains(amount) else {
                throw fault("has no amount from 1 to \(MinorUnits.maximum)")
            }
            let isKnown: Bool
            if parts[0] == Self.everyOther {
                isKnown = other != nil
                other = amount
            } else {
                guard let currency = Currency(String(parts[0])) else { throw fault("names no currency") }
                isKnown = thresholds.updateValue(amount, forKey: currency) != nil
            }
            guard !isKnown else { throw fault("names a currency twice") }
        }
        self.thresholds = thresholds
        otherThreshold = other
    }

    /// In minor units.
    package func threshold(of currency: Currency) -> Int64? {
        thresholds[currency] ?? otherThreshold.map { CurrencyWorth.minorUnits(ofHundredths: $0, currency) }
    }

    /// What the rule finds in a debit, whichever came before it.
    package func match(_ debit: CustomerDebit) -> RuleMatch? {
        guard let threshold = threshold(of: debit.money.currency), debit.money.amountMinor >= threshold else { return nil }
        return RuleMatch(finding: .highValue(thresholdMinor: threshold), debit: debit)
    }
}
