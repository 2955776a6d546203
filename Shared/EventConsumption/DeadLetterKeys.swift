internal import Crypto
package import EncryptionKeys
internal import FoundationEssentials

/// The keys under which the bodies of dead letters are encrypted, from the file `DEAD_LETTER_KEYS_FILE`.
///
/// An old key can leave the file when no open dead letter is under it any more, as the listing's `body_key_id` tells.
package struct DeadLetterKeys: Sendable {
    typealias SealedBody = EncryptionKeys.Sealed

    private let keys: EncryptionKeys
    private let identifying: SymmetricKey

    private static let identityPurpose = "florin.dead-letter.identity.v1"
    private static let bodyContext = "florin.dead-letter.body.v1"

    package init(_ keys: EncryptionKeys) {
        self.keys = keys
        identifying = keys.derivedKey(for: Self.identityPurpose)
    }

    /// - Parameter owner: To whom the body belongs; it opens for nobody else.
    func seal(_ body: [UInt8], for owner: Owner) throws -> SealedBody {
        try keys.seal(body, for: owner.context)
    }

    /// - Throws: ``EventFailure``, transient: with the right keys file it opens.
    func open(_ sealed: SealedBody, for owner: Owner) throws(EventFailure) -> [UInt8] {
        do {
            return try keys.open(sealed, for: owner.context)
        } catch {
            throw .transient("the body \(error)")
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

        fileprivate var context: String { "\(DeadLetterKeys.bodyContext)\n\(consumer)\n\(eventID?.uuidString ?? "")" }
    }
}
