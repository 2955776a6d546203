import Contracts
import Testing

@testable import OpsRisk

@Suite("High value")
struct HighValueRuleTests {
    private static let rule = RiskSamples.highValue("EUR=1000000,JPY=100,*=5000000")

    @Test(
        "a debit strikes at its currency's threshold, and at the others' where its currency has none",
        arguments: [
            ("EUR", 999_999, nil), ("EUR", 1_000_000, 1_000_000), ("EUR", 1_000_001, 1_000_000), ("JPY", 99, nil), ("JPY", 100, 100),
            ("USD", 4_999_999, nil), ("USD", 5_000_000, 5_000_000), ("USD", MinorUnits.maximum, 5_000_000),
        ] as [(String, Int64, Int64?)])
    func thresholds(currency: String, amount: Int64, threshold: Int64?) {
        let debit = RiskSamples.debit(RiskSamples.newWallet(), at: 0, amount, currency)
        let match = Self.rule.match(debit)
        #expect(match == threshold.map { RuleMatch(finding: .highValue(thresholdMinor: $0), debit: debit) })
    }

    @Test(
        "a currency that is not named has about the same worth as its threshold, in its own minor units",
        arguments: [
            ("EUR", 1_000_000), ("USD", 1_000_000), ("JPY", 1_000_000), ("KRW", 10_000_000), ("VND", 100_000_000), ("KWD", 10_000_000),
            ("SEK", 10_000_000), ("HUF", 1_000_000_000), ("XQZ", 1_000_000),
        ] as [(String, Int64)])
    func others(code: String, threshold: Int64) throws {
        let currency = try #require(Currency(letters: code))
        #expect(RiskSamples.highValue("*=1000000").threshold(of: currency) == threshold)
        #expect(RiskSamples.highValue("*=1").threshold(of: currency) ?? 0 >= 1)
        #expect(RiskSamples.highValue("*=\(MinorUnits.maximum)").threshold(of: currency) ?? .max <= MinorUnits.maximum)
        #expect(RiskSamples.highValue("*=1000000,\(code == "XQZ" ? "EUR" : code)=7").threshold(of: currency) == (code == "XQZ" ? threshold : 7))
    }

    @Test("without an amount for every other currency, only those that are named have a threshold")
    func unnamed() {
        let rule = RiskSamples.highValue("EUR=1")
        #expect(rule.match(RiskSamples.debit(RiskSamples.newWallet(), at: 0, MinorUnits.maximum, "USD")) == nil)
        #expect(rule.match(RiskSamples.debit(RiskSamples.newWallet(), at: 0, 1, "EUR")) != nil)
    }

    @Test(
        "what is no list of thresholds says what is wrong with it",
        arguments: [
            ("", "entry 1 is not currency=amount"), ("EUR", "entry 1 is not currency=amount"), ("EUR=1,", "entry 2 is not currency=amount"),
            ("EUR=1=2", "entry 1 is not currency=amount"), ("EUR=0", "entry 1 has no amount from 1 to 9007199254740991"),
            ("EUR=-1", "entry 1 has no amount from 1 to 9007199254740991"), ("EUR=+1", "entry 1 has no amount from 1 to 9007199254740991"),
            ("EUR=1.5", "entry 1 has no amount from 1 to 9007199254740991"),
            ("EUR=9007199254740992", "entry 1 has no amount from 1 to 9007199254740991"),
            ("eur=1", "entry 1 names no currency"), ("XAU=1", "entry 1 names no currency"), (" EUR=1", "entry 1 names no currency"),
            ("EUR=1,EUR=2", "entry 2 names a currency twice"), ("*=1,*=1", "entry 2 names a currency twice"),
        ])
    func faults(text: String, fault: String) {
        #expect(throws: (any Error).self) { try HighValueRule(text: text) }
        do { _ = try HighValueRule(text: text) } catch { #expect(error.description == fault) }
    }
}
