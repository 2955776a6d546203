package import Contracts
import Crypto

/// Time-based one-time passwords (RFC 6238), as every authenticator app takes them: SHA-1, six digits, thirty seconds.
package struct TOTP: Sendable {
    package static let digits = 6
    package static let stepSeconds: Int64 = 30
    /// RFC 4226, section 4: at least 128 bits, better 160.
    package static let secretBytes = 20
    /// How many steps a phone's clock may be ahead or behind (RFC 6238, section 5.2).
    private static let tolerance: Int64 = 1

    private let key: SymmetricKey

    package init(secret: [UInt8]) {
        key = SymmetricKey(data: secret)
    }

    package static func step(at time: Timestamp) -> Int64 { time.microsecondsSinceUnixEpoch / 1_000_000 / stepSeconds }

    /// The step whose code it is, now or a step around it; nil for a code of none. Whether that step has been used is for the database to say.
    ///
    /// A code of two of the steps, one in half a million, is that of the latest.
    package func step(of code: String, at now: Timestamp) -> Int64? {
        let current = Self.step(at: now)
        // All are computed, whichever it is.
        let matches = (current - Self.tolerance...current + Self.tolerance).filter { self.code(at: $0).hasSameDigits(as: code) }
        return matches.last
    }

    /// RFC 4226, section 5.3.
    package func code(at step: Int64) -> String {
        let counter = withUnsafeBytes(of: step.bigEndian) { Array($0) }
        let mac = Array(HMAC<Insecure.SHA1>.authenticationCode(for: counter, using: key))
        let offset = Int(mac[mac.count - 1] & 0x0F)
        let number = mac[offset..<offset + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } & 0x7FFF_FFFF
        let text = String(number % 1_000_000)
        return String(repeating: "0", count: Self.digits - text.utf8.count) + text
    }

    /// Whether a text is shaped like a code.
    package static func isCode(_ text: String) -> Bool {
        text.utf8.count == digits && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }
}

extension String {
    /// In a time that does not tell where they differ.
    fileprivate func hasSameDigits(as other: String) -> Bool {
        guard utf8.count == other.utf8.count else { return false }
        return zip(utf8, other.utf8).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
