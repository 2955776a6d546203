/// The two ends of PKCE (RFC 7636), S256 only.
package enum ProofKey {
    private static let challengeLength = 43
    private static let verifierLengths = 43...128

    /// SHA-256 in base64url.
    package static func isChallenge(_ text: String) -> Bool {
        text.utf8.count == challengeLength && text.utf8.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
    }

    /// 43 to 128 characters of the unreserved set.
    package static func isVerifier(_ text: String) -> Bool {
        verifierLengths.contains(text.utf8.count) && text.utf8.allSatisfy { isAlphanumeric($0) || "-._~".utf8.contains($0) }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: false
        }
    }
}
