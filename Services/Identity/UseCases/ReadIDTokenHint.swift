import AccessTokens
import Contracts
import StrictJSON

/// An ID token of ours that a client shows again to say whom it means.
struct IDTokenHint: Sendable, Hashable {
    let client: String
    let user: UserID
    let session: SessionID
}

/// Reads an `id_token_hint` (OpenID Connect Core, section 3.1.2.1; RP-Initiated Logout, section 2): signature, issuer and kind count, `exp`
/// does not.
struct ReadIDTokenHint: Sendable {
    private static let maximumBytes = 8_192

    let issuer: String
    let keys: SigningKeyRing

    /// - Returns: nil for what is no ID token of ours, or was signed by a key that is kept no longer.
    func callAsFunction(_ text: String) -> IDTokenHint? {
        guard text.utf8.count <= Self.maximumBytes else { return nil }
        let parts = Array(text.utf8).split(separator: UInt8(ascii: "."), maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 3, let header = Self.json(parts[0]), let claims = Self.json(parts[1]), let signature = Base64URL.decode(parts[2]),
            header["alg"]?.stringValue == "ES256", header["typ"]?.stringValue == SigningKey.TokenType.identity.rawValue, header["crit"] == nil,
            let kid = header["kid"]?.stringValue, keys.signed(Array(text.utf8)[..<parts[1].endIndex], signature: signature, by: kid)
        else { return nil }
        guard claims["iss"]?.stringValue == issuer, let client = claims["aud"]?.stringValue,
            let user = claims["sub"]?.stringValue.flatMap({ UserID($0) }), let session = claims["sid"]?.stringValue.flatMap({ SessionID($0) })
        else { return nil }
        return IDTokenHint(client: client, user: user, session: session)
    }

    private static func json(_ part: ArraySlice<UInt8>) -> JSONValue? {
        Base64URL.decode(part).flatMap { try? JSONParser.parse($0) }
    }
}
