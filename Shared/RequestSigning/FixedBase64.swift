/// Base64 (RFC 4648 section 4) of exactly 32 bytes, the only size that signatures, digests and secrets have here.
///
/// Strict: 44 characters, one `=`, and the two bits that the last character leaves over are zero, so that a value has one spelling.
enum FixedBase64 {
    static let decodedCount = 32
    static let encodedCount = 44

    private static let alphabet: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

    /// Appends the 44 characters.
    static func append(_ bytes: UnsafeRawBufferPointer, to output: inout [UInt8]) {
        precondition(bytes.count == decodedCount, "only values of 32 bytes are encoded here")
        let letters = alphabet.utf8Start
        var index = 0
        while index < 30 {
            let group = Int(bytes[index]) << 16 | Int(bytes[index + 1]) << 8 | Int(bytes[index + 2])
            output.append(letters[group >> 18])
            output.append(letters[group >> 12 & 63])
            output.append(letters[group >> 6 & 63])
            output.append(letters[group & 63])
            index += 3
        }
        let group = Int(bytes[30]) << 16 | Int(bytes[31]) << 8
        output.append(letters[group >> 18])
        output.append(letters[group >> 12 & 63])
        output.append(letters[group >> 6 & 63])
        output.append(UInt8(ascii: "="))
    }

    /// The 32 bytes, or nil when the characters are not their one spelling.
    static func decode(_ characters: some RandomAccessCollection<UInt8>) -> [UInt8]? {
        guard characters.count == encodedCount, characters.last == UInt8(ascii: "=") else { return nil }
        var bytes = [UInt8]()
        bytes.reserveCapacity(decodedCount)
        var bits: UInt32 = 0
        var bitCount = 0
        for character in characters.dropLast() {
            guard let value = sextet(character) else { return nil }
            bits = bits << 6 | UInt32(value)
            bitCount += 6
            if bitCount >= 8 {
                bitCount -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(bitCount)))
            }
        }
        guard bits & 0b11 == 0 else { return nil }
        return bytes
    }

    private static func sextet(_ character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): character - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): character - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
