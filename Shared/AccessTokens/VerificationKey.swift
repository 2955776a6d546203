import Crypto
import FoundationEssentials
import JWTKit
import Synchronization

/// One public ES256 key of a key set; it knows whether the set still holds it.
///
/// Cached tokens refer to the key that vouched for them, so that withdrawing a key is one atomic store, whatever the cache's size,
/// and also reaches a token whose verification was under way at that moment.
final class VerificationKey: Sendable {
    /// The key's identifier within its set (`kid`).
    let id: String
    /// The point on the curve, uncompressed (X9.63).
    let point: [UInt8]
    private let algorithm: any JWTAlgorithm
    private let withdrawn = Atomic(false)

    private static let maximumIDBytes = 255

    /// Makes a key from a point on P-256.
    /// - Throws: what swift-crypto says of a point that is not on the curve.
    init(id: String, point: [UInt8]) async throws {
        self.id = id
        self.point = point
        let key = try ES256PublicKey(backing: P256.Signing.PublicKey(x963Representation: point))
        // JWTKit's own verify falls back to a default key for an unknown kid; only its ES256 implementation is used here.
        self.algorithm = try await JWTKeyCollection().add(ecdsa: key, kid: JWKIdentifier(string: id)).getKey(for: JWKIdentifier(string: id))
    }

    /// Whether the key has left its set for good.
    var isWithdrawn: Bool {
        withdrawn.load(ordering: .acquiring)
    }

    /// Ends the key's authority, and with it that of every token it vouched for.
    func withdraw() {
        withdrawn.store(true, ordering: .releasing)
    }

    /// Whether `signature` is this key's over `bytes`.
    func signed(_ bytes: ArraySlice<UInt8>, signature: [UInt8]) -> Bool {
        // A throw means that the signature cannot even be read.
        (try? algorithm.verify(signature, signs: bytes)) ?? false
    }

    /// Whether a `kid` has a length that is looked up at all.
    static func isUsableID(_ id: String) -> Bool {
        (1...maximumIDBytes).contains(id.utf8.count)
    }
}
