import AccessTokens
import Crypto

/// A secret of 256 random bits that a client, an app or a browser holds: a code, a client's secret, a cookie, the secret of a refresh token.
///
/// Nothing can be guessed of it, so its SHA-256 is all that is kept; and its text is in letters, digits, `-` and `_` only, which no form or
/// header spells in two ways.
struct OpaqueSecret: Sendable, Hashable, CustomStringConvertible, CustomReflectable {
    static let byteCount = 32

    let bytes: [UInt8]

    /// - Returns: nil for bytes of another number.
    init?(bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        self.bytes = bytes
    }

    /// - Returns: nil for a text that no secret has.
    init?(_ text: some StringProtocol) {
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

    // MARK: what only who holds it can make or read

    /// A key that serves one purpose (RFC 5869).
    func key(for purpose: String) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(inputKeyMaterial: SymmetricKey(data: bytes), info: Array(purpose.utf8), outputByteCount: Self.byteCount)
    }

    /// - Parameter context: What the bytes belong to; they open for nothing else.
    func seal(_ bytes: [UInt8], for purpose: String, of context: [UInt8]) throws -> [UInt8] {
        let box = try AES.GCM.seal(bytes, using: key(for: purpose), authenticating: context)
        return Array(box.nonce) + Array(box.ciphertext) + Array(box.tag)
    }

    /// - Returns: nil for what was sealed under another secret, for another purpose or context.
    func open(_ sealed: [UInt8], for purpose: String, of context: [UInt8]) -> [UInt8]? {
        guard let box = try? AES.GCM.SealedBox(combined: sealed) else { return nil }
        return (try? AES.GCM.open(box, using: key(for: purpose), authenticating: context)).map { Array($0) }
    }

    /// Not a byte of it.
    var description: String { "secret" }
    var customMirror: Mirror { Mirror(self, children: []) }
}
