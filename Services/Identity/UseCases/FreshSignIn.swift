import Contracts
import HTTPService

extension LiveSession {
    /// How recent a sign-in must be for what changes a factor, in seconds.
    static let freshSeconds: Int64 = 300

    /// What changes a factor needs a sign-in of the last minutes, and the second factor with it where there is one.
    ///
    /// - Throws: ``RequiredAuthentication``, which is the challenge of RFC 9470.
    func requireFreshSignIn(at now: Timestamp) throws(RequiredAuthentication) {
        let verifiedAt = hasSecondFactor ? authentication.secondFactorAt : authentication.authenticatedAt
        guard let verifiedAt, now.since(verifiedAt) <= .seconds(Self.freshSeconds) else {
            throw RequiredAuthentication(
                contexts: hasSecondFactor ? [Authentication.multiFactor] : [], maximumAgeSeconds: Self.freshSeconds)
        }
    }

    /// A password alone changes nothing where there is a second factor (ID-05).
    ///
    /// - Throws: ``RequiredAuthentication``.
    func requireSecondFactor() throws(RequiredAuthentication) {
        guard !hasSecondFactor || authentication.isMultiFactor else {
            throw RequiredAuthentication(contexts: [Authentication.multiFactor])
        }
    }
}
