/// Why a secret was not accepted, whatever the door.
package enum CredentialRefusal: Error, Sendable, Hashable {
    /// The secret is wrong, has been used, or the account has none or does not exist: it can't be told which.
    case wrong
    /// Too many were wrong; nothing was looked at.
    case blocked(retryAfter: Duration)
    /// The secret is right, and the account is disabled.
    case disabled
    /// Nothing was looked at: everybody is signing in at once.
    case overloaded
}
