import AccessTokens
import Crypto
import FoundationEssentials
import JWTKit

/// A signing key as a process uses it (ES256).
struct SigningKey: Sendable {
    let id: String
    let life: SigningKeyLife
    /// The point's coordinates, in base64url.
    let x: String
    let y: String
    /// nil where the private half does not open: it is published, and others sign with it.
    private let signer: (any JWTAlgorithm)?
    private let verifier: (any JWTAlgorithm)?

    /// What a token is, by its header (RFC 9068, section 2.1).
    enum TokenType: String, Sendable {
        case access = "at+jwt"
        case identity = "JWT"
    }

    var canSign: Bool { signer != nil }

    /// Makes a key pair, the private half sealed.
    static func make(_ life: SigningKeyLife, _ box: SecretBox) throws -> StoredSigningKey {
        let key = P256.Signing.PrivateKey()
        let point = Array(key.publicKey.rawRepresentation)
        let (x, y) = coordinates(point)
        // The members that RFC 7638 names, in its order and without spaces.
        let id = Base64URL.encode(Array(SHA256.hash(data: Array(#"{"crv":"P-256","kty":"EC","x":"\#(x)","y":"\#(y)"}"#.utf8))))
        return StoredSigningKey(
            id: id, publicKey: point, sealedPrivateKey: try box.seal(Array(key.rawRepresentation), for: context(id)), life: life)
    }

    /// - Parameter box: Opens the private half; without success the key only is published.
    init(_ stored: StoredSigningKey, _ box: SecretBox) async {
        id = stored.id
        life = stored.life
        (x, y) = Self.coordinates(stored.publicKey)
        let kid = JWKIdentifier(string: stored.id)
        if let bytes = try? box.open(stored.sealedPrivateKey, for: Self.context(stored.id)),
            let key = try? P256.Signing.PrivateKey(rawRepresentation: bytes), Array(key.publicKey.rawRepresentation) == stored.publicKey
        {
            signer = try? await JWTKeyCollection().add(ecdsa: ES256PrivateKey(backing: key), kid: kid).getKey(for: kid)
        } else {
            signer = nil
        }
        if let point = try? P256.Signing.PublicKey(rawRepresentation: stored.publicKey) {
            verifier = try? await JWTKeyCollection().add(ecdsa: ES256PublicKey(backing: point), kid: kid).getKey(for: kid)
        } else {
            verifier = nil
        }
    }

    /// The same key with other times.
    init(_ key: SigningKey, life: SigningKeyLife) {
        (id, x, y, signer, verifier) = (key.id, key.x, key.y, key.signer, key.verifier)
        self.life = life
    }

    /// The token in compact form (RFC 7515).
    ///
    /// - Throws: ``NoSigningKey``, or what the library throws.
    func sign(_ claims: [UInt8], as type: TokenType) throws -> String {
        guard let signer else { throw NoSigningKey() }
        let header = #"{"alg":"ES256","kid":"\#(id)","typ":"\#(type.rawValue)"}"#
        let input = "\(Base64URL.encode(Array(header.utf8))).\(Base64URL.encode(claims))"
        return "\(input).\(Base64URL.encode(try signer.sign(Array(input.utf8))))"
    }

    /// Whether `signature` is this key's over `bytes`.
    func signed(_ bytes: ArraySlice<UInt8>, signature: [UInt8]) -> Bool {
        // A throw means that the signature cannot even be read.
        verifier.flatMap { try? $0.verify(signature, signs: bytes) } ?? false
    }

    private static func context(_ id: String) -> String { "signing_keys/\(id)" }

    private static func coordinates(_ point: [UInt8]) -> (x: String, y: String) {
        (Base64URL.encode(point.prefix(point.count / 2)), Base64URL.encode(point.suffix(point.count / 2)))
    }
}

/// No key can sign at present: none is in its turn, or none opens under the keys file.
struct NoSigningKey: Error, CustomStringConvertible {
    let description = "no signing key can be used"
}
