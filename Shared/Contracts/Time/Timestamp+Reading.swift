extension Timestamp {
    /// Where a time between two milliseconds goes.
    package enum Rounding: Sendable {
        case down
        case up
    }

    private static let microsecondsPerMillisecond: Int64 = 1_000
    /// From the year 0 to the year 9999.
    private static let shownMilliseconds: ClosedRange<Int64> = -62_167_219_200_000...253_402_300_799_999

    /// Reads RFC 3339 (`2026-11-21T05:00:00.123Z`, `…+01:00`), to the whole millisecond that the wire shows of every time.
    ///
    /// A second of 60 is read as the first of the next minute. At most nine digits of a second are read.
    package init?(rfc3339 text: some StringProtocol, rounding: Rounding) {
        var bytes = Array(text.utf8)[...]
        func number(_ digits: Int, _ range: ClosedRange<Int64>) -> Int64? {
            guard bytes.count >= digits else { return nil }
            var value: Int64 = 0
            for byte in bytes.prefix(digits) {
                guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
                value = value * 10 + Int64(byte - UInt8(ascii: "0"))
            }
            bytes = bytes.dropFirst(digits)
            return range.contains(value) ? value : nil
        }
        func skip(_ accepted: StaticString) -> Bool {
            guard let first = bytes.first, accepted.withUTF8Buffer({ $0.contains(first) }) else { return false }
            bytes = bytes.dropFirst()
            return true
        }
        guard let year = number(4, 0...9_999), skip("-"), let month = number(2, 1...12), skip("-"),
            let day = number(2, 1...Self.days(in: month, year)), skip("Tt"), let hour = number(2, 0...23), skip(":"),
            let minute = number(2, 0...59), skip(":"), let second = number(2, 0...60)
        else { return nil }
        var nanoseconds: Int64 = 0
        if skip(".") {
            let digits = bytes.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }.count
            guard (1...9).contains(digits), let fraction = number(digits, 0...999_999_999) else { return nil }
            nanoseconds = (digits..<9).reduce(fraction) { value, _ in value * 10 }
        }
        var offsetMinutes: Int64 = 0
        if !skip("Zz") {
            guard let sign = bytes.first, skip("+-"), let hours = number(2, 0...23), skip(":"), let minutes = number(2, 0...59) else { return nil }
            offsetMinutes = (hours * 60 + minutes) * (sign == UInt8(ascii: "-") ? -1 : 1)
        }
        guard bytes.isEmpty else { return nil }
        let days = Self.daysSinceUnixEpoch(year, month, day)
        let seconds = ((days * 24 + hour) * 60 + minute - offsetMinutes) * 60 + second
        let rest = rounding == .up && nanoseconds % 1_000_000 != 0 ? Int64(1) : 0
        let milliseconds = seconds * 1_000 + nanoseconds / 1_000_000 + rest
        // An offset, a leap second or the rounding may lead out of the years that have four digits, and then it could not be shown.
        guard Self.shownMilliseconds.contains(milliseconds) else { return nil }
        self.init(microsecondsSinceUnixEpoch: milliseconds * Self.microsecondsPerMillisecond)
    }

    /// The first instant of the next millisecond: what lies before it is shown with this time or an earlier one.
    package var nextMillisecond: Timestamp {
        Timestamp(microsecondsSinceUnixEpoch: (millisecondsSinceUnixEpoch + 1) * Self.microsecondsPerMillisecond)
    }

    /// The time as the wire shows it.
    package var wholeMillisecond: Timestamp {
        Timestamp(microsecondsSinceUnixEpoch: millisecondsSinceUnixEpoch * Self.microsecondsPerMillisecond)
    }

    package func earlier(by duration: Duration) -> Timestamp {
        let (seconds, attoseconds) = duration.components
        return Timestamp(microsecondsSinceUnixEpoch: microsecondsSinceUnixEpoch - seconds * 1_000_000 - attoseconds / 1_000_000_000_000)
    }

    package func later(by duration: Duration) -> Timestamp { earlier(by: .zero - duration) }

    private static func days(in month: Int64, _ year: Int64) -> Int64 {
        switch month {
        case 2: year.isMultiple(of: 4) && (!year.isMultiple(of: 100) || year.isMultiple(of: 400)) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// The day number of a date of the proleptic Gregorian calendar; years are counted from 1 March, so that a leap day ends one.
    private static func daysSinceUnixEpoch(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let fromMarch = (month + 9) % 12
        // 400 years are 146 097 days; one era earlier keeps every quotient positive.
        let years = year + 400 - (month <= 2 ? 1 : 0)
        let days = years * 365 + years / 4 - years / 100 + years / 400 + (153 * fromMarch + 2) / 5 + day - 1
        return days - 146_097 - 719_468
    }
}
