import EncryptionKeys

/// Encrypts the secrets that the service must be able to read again, TOTP secrets and private keys, under `IDENTITY_SECRET_KEYS_FILE`.
///
/// What is sealed names its key, so that keys can be rotated: one byte with the length of the key's id, the id, nonce, cipher text, tag.
/// `convert_from(substr(sealed, 2, get_byte(sealed, 0)), 'UTF8')` is the key's id in SQL.
struct SecretBox: Sendable {
    private static let purpose = "florin.identity.secret.v1"

    private let keys: EncryptionKeys

    init(_ keys: EncryptionKeys) {
        self.keys = keys
    }

    /// - Parameter context: Table and row that the secret belongs to; it opens for no other, so that nobody can swap two rows.
    func seal(_ bytes: [UInt8], for context: String) throws -> [UInt8] {
        let sealed = try keys.seal(bytes, for: Self.bound(context))
        let id = Array(sealed.keyID.utf8)
        // At most 64, as the keys file has them.
        return [UInt8(id.count)] + id + sealed.bytes
    }

    /// - Throws: ``EncryptionKeys/DoesNotOpen``.
    func open(_ sealed: [UInt8], for context: String) throws(EncryptionKeys.DoesNotOpen) -> [UInt8] {
        let idLength = sealed.first.map(Int.init) ?? 0
        let id = String(decoding: sealed.dropFirst().prefix(idLength), as: UTF8.self)
        return try keys.open(EncryptionKeys.Sealed(keyID: id, bytes: Array(sealed.dropFirst(1 + idLength))), for: Self.bound(context))
    }

    private static func bound(_ context: String) -> String { "\(purpose)\n\(context)" }
}
