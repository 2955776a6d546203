/// The service that a request's valid signature names, and what is still to be checked of the request.
package struct VerifiedCaller: Sendable, Equatable {
    /// The calling service.
    package let caller: String
    /// The key it signed with.
    package let keyID: String
    /// Together with the key, what makes the request unique.
    package let nonce: String
    /// When it was signed, in seconds since the Unix epoch.
    package let created: Int64
    /// When the signature ends, in seconds since the Unix epoch.
    package let expires: Int64
    /// The SHA-256 that the body must have; nil when the request was signed as having none.
    package let expectedDigest: [UInt8]?

    /// Whether a body, perhaps an empty one, was signed.
    package var hasBody: Bool { expectedDigest != nil }

    package init(caller: String, keyID: String, nonce: String, created: Int64, expires: Int64, expectedDigest: [UInt8]?) {
        self.caller = caller
        self.keyID = keyID
        self.nonce = nonce
        self.created = created
        self.expires = expires
        self.expectedDigest = expectedDigest
    }
}
