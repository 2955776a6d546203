/// An instant, in microseconds since the Unix epoch; on the wire RFC 3339 in UTC with milliseconds (`2026-11-21T05:00:00.123Z`).
package struct Timestamp: Sendable, Hashable, Comparable, CustomStringConvertible {
    package let microsecondsSinceUnixEpoch: Int64

    package init(microsecondsSinceUnixEpoch: Int64) {
        self.microsecondsSinceUnixEpoch = microsecondsSinceUnixEpoch
    }

    package var millisecondsSinceUnixEpoch: Int64 {
        microsecondsSinceUnixEpoch >= 0 ? microsecondsSinceUnixEpoch / 1_000 : (microsecondsSinceUnixEpoch - 999) / 1_000
    }

    package static func < (left: Self, right: Self) -> Bool {
        left.microsecondsSinceUnixEpoch < right.microsecondsSinceUnixEpoch
    }

    package var description: String {
        let milliseconds = millisecondsSinceUnixEpoch
        let day = Self.floorDivide(milliseconds, 86_400_000)
        let inDay = milliseconds - day * 86_400_000
        let (year, month, dayOfMonth) = Self.civilDate(daysSinceUnixEpoch: day)
        return String(unsafeUninitializedCapacity: 24) { buffer in
            func write(_ value: Int64, _ digits: Int, at offset: Int) {
                var value = value
                for index in stride(from: offset + digits - 1, through: offset, by: -1) {
                    buffer[index] = UInt8(ascii: "0") + UInt8(value % 10)
                    value /= 10
                }
            }
            write(year, 4, at: 0)
            buffer[4] = UInt8(ascii: "-")
            write(month, 2, at: 5)
            buffer[7] = UInt8(ascii: "-")
            write(dayOfMonth, 2, at: 8)
            buffer[10] = UInt8(ascii: "T")
            write(inDay / 3_600_000, 2, at: 11)
            buffer[13] = UInt8(ascii: ":")
            write(inDay / 60_000 % 60, 2, at: 14)
            buffer[16] = UInt8(ascii: ":")
            write(inDay / 1_000 % 60, 2, at: 17)
            buffer[19] = UInt8(ascii: ".")
            write(inDay % 1_000, 3, at: 20)
            buffer[23] = UInt8(ascii: "Z")
            return 24
        }
    }

    private static func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
        let quotient = value / divisor
        return value % divisor < 0 ? quotient - 1 : quotient
    }

    /// The proleptic Gregorian date of a day number, by counting in eras of 400 years that begin on 1 March.
    private static func civilDate(daysSinceUnixEpoch: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = daysSinceUnixEpoch + 719_468
        let era = floorDivide(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }
}
