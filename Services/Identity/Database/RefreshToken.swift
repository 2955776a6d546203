import AccessTokens
import FoundationEssentials

/// A refresh token: which family it is of, the how-manieth of it, and a secret.
///
///     frt_ base64url(family, 16 bytes ‖ number, 4 bytes, big-endian ‖ secret, 32 bytes)
struct RefreshToken: Sendable, CustomStringConvertible, CustomReflectable {
    static let prefix = "frt_"
    private static let familyBytes = 16
    private static let numberBytes = 4
    private static let byteCount = familyBytes + numberBytes + OpaqueSecret.byteCount
    private static let successorKey = "florin.identity.refresh-successor.v1"

    let family: UUID
    let number: Int64
    let secret: OpaqueSecret

    init(family: UUID, number: Int64, secret: OpaqueSecret = .random()) {
        self.family = family
        self.number = number
        self.secret = secret
    }

    /// - Returns: nil for a text that no refresh token has.
    init?(_ text: String) {
        guard text.utf8.count < 128, text.hasPrefix(Self.prefix),
            let bytes = Base64URL.decode(Array(text.utf8.dropFirst(Self.prefix.utf8.count))), bytes.count == Self.byteCount,
            let secret = OpaqueSecret(bytes: Array(bytes[(Self.familyBytes + Self.numberBytes)...]))
        else { return nil }
        family = bytes.withUnsafeBytes { UUID(uuid: $0.loadUnaligned(as: uuid_t.self)) }
        number = bytes[Self.familyBytes..<Self.familyBytes + Self.numberBytes].reduce(0) { $0 << 8 | Int64($1) }
        self.secret = secret
    }

    var text: String {
        let number = (0..<Self.numberBytes).map { UInt8(truncatingIfNeeded: self.number >> (8 * (Self.numberBytes - 1 - $0))) }
        return Self.prefix + Base64URL.encode(withUnsafeBytes(of: family.uuid) { Array($0) } + number + secret.bytes)
    }

    /// The next of the family.
    func successor() -> RefreshToken { RefreshToken(family: family, number: number + 1) }

    /// The secret of the next one, encrypted under this one's: the database alone gives nobody a token.
    func seal(_ successor: RefreshToken) throws -> [UInt8] {
        try secret.seal(successor.secret.bytes, for: Self.successorKey, of: Self.context(successor))
    }

    /// - Returns: nil for what was sealed by another token.
    func open(_ sealed: [UInt8]) -> RefreshToken? {
        guard let bytes = secret.open(sealed, for: Self.successorKey, of: Self.context(self, step: 1)), let secret = OpaqueSecret(bytes: bytes)
        else { return nil }
        return RefreshToken(family: family, number: number + 1, secret: secret)
    }

    private static func context(_ token: RefreshToken, step: Int64 = 0) -> [UInt8] {
        Array("\(token.family.uuidString)/\(token.number + step)".utf8)
    }

    /// Without the secret.
    var description: String { "refresh token \(number) of \(family)" }
    var customMirror: Mirror { Mirror(self, children: ["number": number]) }
}
