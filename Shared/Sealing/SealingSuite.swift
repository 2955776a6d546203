internal import Contracts
internal import Crypto
internal import FoundationEssentials

/// HPKE (RFC 9180) as Florin uses it: base mode, X25519, HKDF-SHA256, ChaCha20-Poly1305, one message per encapsulated key.
enum SealingSuite {
    static let ciphersuite = HPKE.Ciphersuite.Curve25519_SHA256_ChachaPoly
    /// What the keys are used for, so that no other use of them opens a text.
    static let info = Data("florin.sealed-text.v1".utf8)
    private static let tagBytes = 16
    /// Of a text before it is sealed.
    static let plaintextBytes = 1...SealedText.ciphertextBytes.upperBound - tagBytes

    /// The associated data: a text that was copied into another event does not open there.
    static func binding(to event: EventID) -> Data { Data(event.description.utf8) }
}
