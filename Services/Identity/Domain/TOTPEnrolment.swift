package import Contracts

/// A TOTP secret on its way into an authenticator app.
package struct TOTPEnrolment: Sendable {
    /// For the first code of it to be entered, in seconds.
    static let lifetimeSeconds: Int64 = 900
    private static let issuer = "Florin"
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8)
    private static let unreserved = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~".utf8)

    /// In base32 (RFC 4648, section 6), without padding.
    package let secret: String
    /// As apps take it: `otpauth://totp/Florin:ana%40example.com?secret=…`.
    package let uri: String
    package let expiresAt: Timestamp

    init(secret: [UInt8], account: String, expiresAt: Timestamp) {
        self.secret = Self.base32(secret)
        self.expiresAt = expiresAt
        let label = "\(Self.issuer):\(Self.percentEncoded(account))"
        uri = "otpauth://totp/\(label)?secret=\(self.secret)&issuer=\(Self.issuer)&algorithm=SHA1&digits=6&period=30"
    }

    static func base32(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        var (buffer, bits) = (0, 0)
        for byte in bytes {
            buffer = (buffer << 8 | Int(byte)) & 0xFFF
            bits += 8
            while bits >= 5 {
                bits -= 5
                text.append(alphabet[buffer >> bits & 0x1F])
            }
        }
        if bits > 0 { text.append(alphabet[buffer << (5 - bits) & 0x1F]) }
        return String(decoding: text, as: UTF8.self)
    }

    private static func percentEncoded(_ text: String) -> String {
        text.utf8.map { byte in
            if unreserved.contains(byte) { return String(UnicodeScalar(byte)) }
            let digits = String(byte, radix: 16, uppercase: true)
            return "%\(byte < 16 ? "0" : "")\(digits)"
        }.joined()
    }
}
