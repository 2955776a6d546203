/// Nonces of signatures: 128 random bits in 22 characters of the URL-safe alphabet.
package enum SigningNonce {
    private static let alphabet: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    private static let count = (SignatureProfile.nonceLengthBits + 5) / 6

    package static func random(using generator: inout some RandomNumberGenerator) -> String {
        var high = generator.next()
        var low = generator.next()
        return String(unsafeUninitializedCapacity: count) { buffer in
            for index in 0..<count {
                buffer[index] = alphabet.utf8Start[Int(low & 63)]
                low = low >> 6 | high << 58
                high >>= 6
            }
            return count
        }
    }
}
