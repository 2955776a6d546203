import AccessTokens
import Crypto

/// A secret of 256 random bits that a client or a person's app holds: a code, a client's secret, the secret of a refresh token.
///
/// Nothing can be guessed of it, so its SHA-256 is all that is kept; and its text is in letters, digits, `-` and `_` only, which no form or
/// header spells in two ways.
struct OpaqueSecret: Sendable, CustomStringConvertible, CustomReflectable {
    static let byteCount = 32

    let bytes: [UInt8]

    /// - Returns: nil for bytes of another number.
    init?(bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        self.bytes = bytes
    }

    /// - Returns: nil for a text that no secret has.
    init?(_ text: String) {
        guard text.utf8.count <= 2 * Self.byteCount, let bytes = Base64URL.decode(Array(text.utf8)) else { return nil }
        self.init(bytes: bytes)
    }

    private init(random: inout some RandomNumberGenerator) {
        bytes = (0..<Self.byteCount).map { _ in UInt8.random(in: .min ... .max, using: &random) }
    }

    static func random() -> OpaqueSecret {
        var random = SystemRandomNumberGenerator()
        return OpaqueSecret(random: &random)
    }

    var text: String { Base64URL.encode(bytes) }
    var hash: [UInt8] { Array(SHA256.hash(data: bytes)) }

    /// Not a byte of it.
    var description: String { "secret" }
    var customMirror: Mirror { Mirror(self, children: []) }
}
