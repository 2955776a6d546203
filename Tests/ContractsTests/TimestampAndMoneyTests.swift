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

@Suite("Times that are read")
struct TimestampReadingTests {
    @Test(
        "RFC 3339 in its spellings, rounded to the millisecond",
        arguments: [
            ("2026-11-21T05:00:00.123Z", "2026-11-21T05:00:00.123Z", "2026-11-21T05:00:00.123Z"),
            ("2026-11-21T05:00:00Z", "2026-11-21T05:00:00.000Z", "2026-11-21T05:00:00.000Z"),
            ("2026-11-21t05:00:00.1z", "2026-11-21T05:00:00.100Z", "2026-11-21T05:00:00.100Z"),
            ("2026-11-21T05:00:00.123456Z", "2026-11-21T05:00:00.123Z", "2026-11-21T05:00:00.124Z"),
            ("2026-11-21T05:00:00.123000001Z", "2026-11-21T05:00:00.123Z", "2026-11-21T05:00:00.124Z"),
            ("2026-11-21T05:00:00.999999999Z", "2026-11-21T05:00:00.999Z", "2026-11-21T05:00:01.000Z"),
            ("2026-11-21T05:00:00+01:30", "2026-11-21T03:30:00.000Z", "2026-11-21T03:30:00.000Z"),
            ("2026-12-31T23:30:00-02:00", "2027-01-01T01:30:00.000Z", "2027-01-01T01:30:00.000Z"),
            ("2024-02-29T23:59:60Z", "2024-03-01T00:00:00.000Z", "2024-03-01T00:00:00.000Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z", "0001-01-01T00:00:00.000Z"),
            ("1969-12-31T23:59:59.9999Z", "1969-12-31T23:59:59.999Z", "1970-01-01T00:00:00.000Z"),
        ])
    func good(text: String, down: String, up: String) {
        #expect(Timestamp(rfc3339: text, rounding: .down)?.description == down)
        #expect(Timestamp(rfc3339: text, rounding: .up)?.description == up)
    }

    @Test(
        "what is no time",
        arguments: [
            "", "now", "2026-11-21", "2026-11-21T05:00Z", "2026-11-21 05:00:00Z", "2026-11-21T05:00:00", "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z", "2026-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-11-21T24:00:00Z",
            "2026-11-21T05:60:00Z", "2026-11-21T05:00:61Z", "2026-11-21T05:00:00.Z", "2026-11-21T05:00:00.1234567890Z",
            "2026-11-21T05:00:00+0100", "2026-11-21T05:00:00+24:00", "2026-11-21T05:00:00Zjunk", "-026-11-21T05:00:00Z", "2026-11-21T+5:00:00Z",
            "0000-01-01T00:00:00+00:01", "9999-12-31T23:59:60Z", "9999-12-31T23:59:59-00:01",
        ])
    func bad(text: String) {
        #expect(Timestamp(rfc3339: text, rounding: .down) == nil)
    }

    @Test("what is written is read back, for 10 000 random instants")
    func random() {
        for _ in 0..<10_000 {
            let time = Timestamp(microsecondsSinceUnixEpoch: Int64.random(in: -62_167_219_200_000...253_402_300_799_999) * 1_000)
            #expect(Timestamp(rfc3339: time.description, rounding: .up) == time)
            #expect(Timestamp(microsecondsSinceUnixEpoch: time.microsecondsSinceUnixEpoch + 999).wholeMillisecond == time)
            #expect(time.nextMillisecond.microsecondsSinceUnixEpoch == time.microsecondsSinceUnixEpoch + 1_000)
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

    @Test("a currency that left ISO 4217 is known for ever and opened no more", arguments: ["ANG", "BGN", "DEM", "HRK", "SLL", "ZWL"])
    func withdrawn(code: String) throws {
        let currency = try #require(Currency(code))
        #expect(!currency.isActive && Currency.all.contains(currency) && currency.minorUnitDigits == 2)
        #expect(Currency.active.allSatisfy(\.isActive) && Set(Currency.active).isDisjoint(with: Currency.withdrawn))
    }

    @Test("a row or an event may have any three capital letters, and a second spelling of none")
    func letters() {
        #expect(Currency(letters: "XQZ")?.code == "XQZ" && Currency(letters: "EUR") == Currency("EUR"))
        for text in ["", "EU", "EURO", "eur", "E\u{C5}", "\u{212A}", "12A"] { #expect(Currency(letters: text) == nil) }
    }

    @Test(
        "the minor unit of a currency",
        arguments: [("EUR", 2), ("JPY", 0), ("VND", 0), ("KWD", 3), ("CLF", 4), ("ITL", 0), ("XQZ", nil)] as [(String, Int?)])
    func digits(code: String, digits: Int?) {
        #expect(Currency(letters: code)?.minorUnitDigits == digits)
    }

    @Test("what is no currency with a minor unit is unknown", arguments: ["", "EU", "EURO", "eur", "XXX", "XAU", "XTS", "E€", "ÄÖ", "123"])
    func unknown(code: String) {
        #expect(Currency(code) == nil)
    }
}
