import Contracts
import StrictJSON

/// A public key of the issuer's (RFC 7517): ES256.
struct JSONWebKey: WireEncodable {
    let keyID: String
    /// The point's coordinates, in base64url.
    let x: String
    let y: String

    func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("kty", "EC")
            writer.member("use", "sig")
            writer.member("alg", "ES256")
            writer.member("kid", keyID)
            writer.member("crv", "P-256")
            writer.member("x", x)
            writer.member("y", y)
        }
    }
}

/// The answer of `/oauth2/jwks`.
struct JSONWebKeys: WireEncodable {
    let keys: [JSONWebKey]

    func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            writer.name("keys")
            writer.array { writer in
                for key in keys { key.encode(into: &writer) }
            }
        }
    }
}
