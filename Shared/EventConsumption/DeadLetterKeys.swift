internal import Crypto
internal import FoundationEssentials

/// The keys under which the bodies of dead letters are encrypted (AES-256-GCM, NIST SP 800-38D).
package struct DeadLetterKeys: Sendable {
    /// Shorter secrets are no AES-256 keys.
    package static let secretBytes = 32
    package static let maximumKeys = 16

    struct Key: Sendable {
        let id: String
        let secret: SymmetricKey
    }

    /// The first encrypts, all decrypt.
    private let keys: [Key]
    private let encrypting: Key
    /// Derived (RFC 5869), so that no key serves two purposes.
    private let identifying: SymmetricKey

    private static let identityInfo = Data("florin.dead-letter.identity.v1".utf8)
    private static let bodyContext = "florin.dead-letter.body.v1"

    /// - Returns: nil without a key, and when an id is there twice.
    init?(_ keys: [Key]) {
        guard let first = keys.first, keys.count <= Self.maximumKeys, Set(keys.map(\.id)).count == keys.count else { return nil }
        self.keys = keys
        encrypting = first
        identifying = HKDF<SHA256>.deriveKey(inputKeyMaterial: first.secret, info: Self.identityInfo, outputByteCount: Self.secretBytes)
    }

    struct SealedBody: Sendable, Hashable {
        let keyID: String
        /// Nonce, cipher text and tag.
        let bytes: [UInt8]
    }

    /// - Parameter owner: To whom the body belongs; it opens for nobody else.
    func seal(_ body: [UInt8], for owner: Owner) throws -> SealedBody {
        let box = try AES.GCM.seal(body, using: encrypting.secret, authenticating: owner.context)
        guard let combined = box.combined else { throw CryptoKitError.incorrectParameterSize }
        return SealedBody(keyID: encrypting.id, bytes: [UInt8](combined))
    }

    /// - Throws: ``EventFailure``, transient: with the right keys file it opens.
    func open(_ sealed: SealedBody, for owner: Owner) throws(EventFailure) -> [UInt8] {
        guard let key = keys.first(where: { $0.id == sealed.keyID }) else {
            throw .transient("the body is encrypted under the key \(sealed.keyID), which is not in the keys file")
        }
        do {
            return [UInt8](try AES.GCM.open(AES.GCM.SealedBox(combined: sealed.bytes), using: key.secret, authenticating: owner.context))
        } catch {
            throw .transient("the body does not open under the key \(sealed.keyID): it was changed, or the key is another one")
        }
    }

    /// A digest by which the same body is known again while the first key stays, and which tells nothing without it.
    func identity(of body: [UInt8]) -> [UInt8] {
        [UInt8](HMAC<SHA256>.authenticationCode(for: body, using: identifying))
    }

    /// The dead letter that a body belongs to; sealed into it, so that nobody can swap the bodies of two rows.
    struct Owner: Sendable {
        let consumer: String
        let eventID: UUID?

        fileprivate var context: Data { Data("\(DeadLetterKeys.bodyContext)\n\(consumer)\n\(eventID?.uuidString ?? "")".utf8) }
    }
}
