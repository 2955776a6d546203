/// Why something is not done about an account.
package enum AccountRefusal: Error, Sendable, Hashable {
    /// The text is no e-mail address.
    case addressInvalid
    /// Wrong, used, expired or of another flow: nothing tells which.
    case codeInvalid
    /// The mailed code was right, and the account has a second factor.
    case secondFactorRequired
    /// There is no such user, or none that is active.
    case unknownUser
    /// The account is not active any more, or the session has ended.
    case signedOut
}
