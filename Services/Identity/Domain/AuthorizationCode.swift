package import Contracts
package import FoundationEssentials

/// A code that was issued; its text is nowhere, only the hash that it is found by.
package struct AuthorizationCode: Sendable, Hashable {
    /// Long enough for a redirect, too short for a log that is read.
    package static let lifetime = Duration.seconds(60)

    package let grant: Grant
    /// nil when a first-party app got it directly.
    package let redirectURI: String?
    package let codeChallenge: String
    package let expiresAt: Timestamp
    package let usedAt: Timestamp?
    /// What it was redeemed for.
    package let family: UUID?

    package init(grant: Grant, redirectURI: String?, codeChallenge: String, expiresAt: Timestamp, usedAt: Timestamp?, family: UUID?) {
        self.grant = grant
        self.redirectURI = redirectURI
        self.codeChallenge = codeChallenge
        self.expiresAt = expiresAt
        self.usedAt = usedAt
        self.family = family
    }

    /// What a client shows with a code.
    package struct Presentation: Sendable, Hashable {
        package let clientID: String
        package let redirectURI: String?
        /// Of the verifier; nil without one.
        package let challenge: String?

        package init(clientID: String, redirectURI: String?, challenge: String?) {
            self.clientID = clientID
            self.redirectURI = redirectURI
            self.challenge = challenge
        }
    }

    /// Whether it is redeemed. The row says for whom it is, never the request; a client that it was not issued to can neither use it nor use
    /// it up.
    package func check(_ presented: Presentation, at now: Timestamp) throws(TokenRefusal) {
        guard presented.clientID == grant.clientID else { throw .codeMismatch }
        guard usedAt == nil else { throw .codeReused }
        guard now < expiresAt else { throw .codeExpired }
        let isSameAddress = presented.redirectURI.map { Array($0.utf8) } == redirectURI.map { Array($0.utf8) }
        guard isSameAddress, presented.challenge == codeChallenge else { throw .codeMismatch }
    }
}
