import Contracts
import Foundation
import Testing

@Suite("Times")
struct TimestampTests {
    @Test(
        "known instants",
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"), (999, "1970-01-01T00:00:00.000Z"),
            (951_782_400_000_000, "2000-02-29T00:00:00.000Z"), (1_709_251_199_999_999, "2024-02-29T23:59:59.999Z"),
            (4_107_542_400_000_000, "2100-03-01T00:00:00.000Z"), (253_402_300_799_999_999, "9999-12-31T23:59:59.999Z"),
        ])
    func known(microseconds: Int64, text: String) {
        #expect(Timestamp(microsecondsSinceUnixEpoch: microseconds).description == text)
    }

    @Test("10 000 random instants are written as Foundation writes them")
    func random() {
        let formatter = ISO8601DateFormatter()
        formatter.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
        for _ in 0..<10_000 {
            let milliseconds = Int64.random(in: -2_208_988_800_000...253_402_300_799_999)
            // The formatter rounds to the nearest millisecond, so the error of the binary fraction does not show.
            let date = Date(timeIntervalSince1970: Double(milliseconds) / 1_000)
            #expect(Timestamp(microsecondsSinceUnixEpoch: milliseconds * 1_000).description == formatter.string(from: date))
        }
    }
}

@Suite("Money")
struct MoneyTests {
    @Test(
        "an amount is 1 to 2⁵³ - 1", arguments: [(0, false), (1, true), (9_007_199_254_740_991, true), (9_007_199_254_740_992, false), (-1, false)])
    func bounds(amount: Int64, isMoney: Bool) throws {
        let euro = try #require(Currency("EUR"))
        #expect((Money(amountMinor: amount, currency: euro) != nil) == isMoney)
    }

    @Test("a sum that leaves the range is none")
    func sums() {
        #expect(MinorUnits.sum(MinorUnits.maximum, 0) == MinorUnits.maximum)
        #expect(MinorUnits.sum(MinorUnits.maximum, 1) == nil)
        #expect(MinorUnits.sum(-MinorUnits.maximum, -1) == nil)
        #expect(MinorUnits.sum(.max, .max) == nil)
        #expect(MinorUnits.sum(-5, 3) == -2)
    }

    @Test("every currency is read back by its code, once, in the order of the alphabet")
    func currencies() {
        let codes = Currency.all.map(\.code)
        #expect(codes == codes.sorted())
        #expect(Set(codes).count == codes.count)
        #expect(codes.count > 150)
        for code in codes { #expect(Currency(code)?.code == code) }
    }

    @Test("what is no currency with a minor unit is unknown", arguments: ["", "EU", "EURO", "eur", "XXX", "XAU", "XTS", "E€", "ÄÖ", "123"])
    func unknown(code: String) {
        #expect(Currency(code) == nil)
    }
}
