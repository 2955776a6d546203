package import Crypto
internal import FoundationEssentials

/// The keys under which a service encrypts what it keeps (AES-256-GCM, NIST SP 800-38D): the first encrypts, all decrypt.
package struct EncryptionKeys: Sendable {
    /// Shorter secrets are no AES-256 keys.
    package static let secretBytes = 32
    package static let maximumKeys = 16

    package struct Key: Sendable {
        package let id: String
        package let secret: SymmetricKey

        package init(id: String, secret: SymmetricKey) {
            self.id = id
            self.secret = secret
        }
    }

    /// What was encrypted, and under which key.
    package struct Sealed: Sendable, Hashable {
        package let keyID: String
        /// Nonce, cipher text and tag.
        package let bytes: [UInt8]

        package init(keyID: String, bytes: [UInt8]) {
            self.keyID = keyID
            self.bytes = bytes
        }
    }

    /// Why something does not open; safe to log.
    package struct DoesNotOpen: Error, CustomStringConvertible {
        package let description: String
    }

    private let keys: [Key]
    private let encrypting: Key

    /// - Returns: nil without a key, with too many, and when an id is there twice.
    package init?(_ keys: [Key]) {
        guard let first = keys.first, keys.count <= Self.maximumKeys, Set(keys.map(\.id)).count == keys.count else { return nil }
        self.keys = keys
        encrypting = first
    }

    /// - Parameter context: What the bytes are and to whom they belong; they open for nothing else.
    package func seal(_ bytes: [UInt8], for context: String) throws -> Sealed {
        let box = try AES.GCM.seal(bytes, using: encrypting.secret, authenticating: Data(context.utf8))
        guard let combined = box.combined else { throw CryptoKitError.incorrectParameterSize }
        return Sealed(keyID: encrypting.id, bytes: [UInt8](combined))
    }

    package func open(_ sealed: Sealed, for context: String) throws(DoesNotOpen) -> [UInt8] {
        guard let key = keys.first(where: { $0.id == sealed.keyID }) else {
            throw DoesNotOpen(description: "is encrypted under the key \(sealed.keyID), which is not in the keys file")
        }
        do {
            let box = try AES.GCM.SealedBox(combined: sealed.bytes)
            return [UInt8](try AES.GCM.open(box, using: key.secret, authenticating: Data(context.utf8)))
        } catch {
            throw DoesNotOpen(description: "does not open under the key \(sealed.keyID): it was changed, or the key is another one")
        }
    }

    /// A key for another purpose, derived of the first (RFC 5869), so that no key serves two.
    package func derivedKey(for purpose: String) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(inputKeyMaterial: encrypting.secret, info: Data(purpose.utf8), outputByteCount: Self.secretBytes)
    }
}
