/// The one shape of signature that Florin's services accept (RFC 9421 section 1.4 calls this an application's profile).
package enum SignatureProfile {
    /// The application's tag; a signature made for anything else never passes here.
    package static let tag = "florin-internal-1"
    /// The dictionary key in Signature-Input and Signature that a signer writes; a verifier takes any.
    package static let label = "florin"
    /// By how many seconds two services' clocks may differ.
    package static let clockSkewSeconds: Int64 = 10
    /// The longest accepted time from `created` to `expires`, in seconds.
    package static let maximumLifetimeSeconds: Int64 = 30
    /// The lifetime that a signer gives unless told otherwise, in seconds.
    package static let defaultLifetimeSeconds: Int64 = 20
    /// The bytes of a nonce and of a key id may number from 1 to this.
    package static let maximumParameterLength = 128
    /// The bytes of a shared secret, of a SHA-256 digest and of an HMAC-SHA256 code.
    package static let secretLength = 32
    /// The bits of a generated nonce.
    package static let nonceLengthBits = 128
}
