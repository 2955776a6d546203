/// A token taken apart (RFC 7515, section 7.1), its header checked, its signature not yet.
struct CompactToken {
    /// Which key the token says it was signed with.
    let keyID: String
    /// The bytes that the signature covers.
    let signingInput: ArraySlice<UInt8>
    /// The claims as JSON, not to be believed before the signature has been checked.
    let claims: [UInt8]
    /// The signature, as long as ES256 makes it.
    let signature: [UInt8]

    static let algorithm = "ES256"
    static let type = "at+jwt"
    private static let typePrefix = "application/"
    private static let signatureBytes = 64

    /// Takes a token apart and checks its header.
    ///
    /// The header's `alg` only decides whether the token is refused; the algorithm used is always ES256.
    init(_ text: some StringProtocol) throws(TokenRejection) {
        guard text.utf8.count <= AccessTokenPolicy.maximumTokenBytes else { throw .malformed }
        let bytes = Array(text.utf8)
        let parts = bytes.split(separator: UInt8(ascii: "."), maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 3,
            let headerJSON = Base64URL.decode(parts[0]),
            let claims = Base64URL.decode(parts[1]),
            let signature = Base64URL.decode(parts[2]),
            let header = TokenJSON.decode(Header.self, from: headerJSON)
        else { throw .malformed }

        guard let type = header.type, Self.isAccessToken(type) else { throw .invalid(.type) }
        guard header.algorithm == Self.algorithm else { throw .invalid(.algorithm) }
        guard !header.demandsExtension else { throw .invalid(.criticalExtension) }
        guard let keyID = header.keyID, VerificationKey.isUsableID(keyID) else { throw .invalid(.keyID) }
        guard signature.count == Self.signatureBytes else { throw .invalid(.signature) }

        self.keyID = keyID
        self.signingInput = bytes[..<parts[1].endIndex]
        self.claims = claims
        self.signature = signature
    }

    /// A media type, whose case doesn't matter and whose `application/` may be left out (RFC 7515, section 4.1.9).
    private static func isAccessToken(_ type: String) -> Bool {
        let bytes = type.utf8.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 }
        return bytes.elementsEqual(self.type.utf8) || bytes.elementsEqual((typePrefix + self.type).utf8)
    }

    /// The few header members that matter; `jwk`, `jku` and `x5c` are never looked at, a token can't bring its own key.
    private struct Header: Decodable {
        let type: String?
        let algorithm: String?
        let keyID: String?
        let demandsExtension: Bool

        private enum CodingKeys: String, CodingKey {
            case type = "typ"
            case algorithm = "alg"
            case keyID = "kid"
            case critical = "crit"
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            self.type = try container.decodeIfPresent(String.self, forKey: .type)
            self.algorithm = try container.decodeIfPresent(String.self, forKey: .algorithm)
            self.keyID = try container.decodeIfPresent(String.self, forKey: .keyID)
            self.demandsExtension = container.contains(.critical)
        }
    }
}
