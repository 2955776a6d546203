package import FoundationEssentials

/// Crockford's base32 in lower case, for exactly 128 bits: 26 digits, the first of which is at most 7.
package enum CrockfordBase32 {
    package static let digitCount = 26

    private static let digits: [UInt8] = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)

    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 0xFF, count: 256)
        for (value, digit) in digits.enumerated() {
            values[Int(digit)] = UInt8(value)
        }
        return values
    }()

    static func encode(_ uuid: UUID, into buffer: UnsafeMutableBufferPointer<UInt8>) {
        var (high, low) = uuid.halves
        digits.withUnsafeBufferPointer { digits in
            for index in stride(from: digitCount - 1, through: 0, by: -1) {
                buffer[index] = digits[Int(low & 31)]
                low = (low >> 5) | (high << 59)
                high >>= 5
            }
        }
    }

    /// The one spelling only: no upper case, no look-alike letters, no value beyond 128 bits, so that two texts never name one id.
    static func decode(_ text: some Collection<UInt8>) -> UUID? {
        guard text.count == digitCount, let first = text.first, first <= UInt8(ascii: "7") else { return nil }
        var high: UInt64 = 0
        var low: UInt64 = 0
        for byte in text {
            let value = values[Int(byte)]
            guard value != 0xFF else { return nil }
            high = (high << 5) | (low >> 59)
            low = (low << 5) | UInt64(value)
        }
        return UUID(high: high, low: low)
    }
}

extension UUID {
    /// The 128 bits as two big-endian halves.
    package var halves: (high: UInt64, low: UInt64) {
        withUnsafeBytes(of: uuid) { bytes in
            (
                UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self)),
                UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            )
        }
    }

    package init(high: UInt64, low: UInt64) {
        let halves = (high.bigEndian, low.bigEndian)
        self = withUnsafeBytes(of: halves) { UUID(uuid: $0.loadUnaligned(as: uuid_t.self)) }
    }
}
