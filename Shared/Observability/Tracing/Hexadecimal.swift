/// Lower-case hexadecimal digits of fixed width, read and written in place.
enum Hexadecimal {
    /// The number that `digits` digits stand for, at most 16; nil when one of them is none, upper case included.
    static func read(_ utf8: UnsafeBufferPointer<UInt8>, from start: Int, digits: Int) -> UInt64? {
        var value: UInt64 = 0
        for index in start..<start + digits {
            let digit: UInt8
            switch utf8[index] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = utf8[index] - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = utf8[index] - UInt8(ascii: "a") + 10
            default: return nil
            }
            value = value << 4 | UInt64(digit)
        }
        return value
    }

    static func write(_ value: UInt64, digits: Int, to bytes: UnsafeMutableBufferPointer<UInt8>, at start: Int) {
        for index in 0..<digits {
            let digit = UInt8(truncatingIfNeeded: value >> UInt64(4 * (digits - 1 - index))) & 15
            bytes[start + index] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
        }
    }

    /// All 16 digits.
    static func text(_ value: UInt64) -> String {
        String(unsafeUninitializedCapacity: 16) { bytes in
            write(value, digits: 16, to: bytes, at: 0)
            return 16
        }
    }
}
