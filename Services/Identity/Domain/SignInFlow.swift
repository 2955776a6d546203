package import Contracts
package import FoundationEssentials

package enum SignInFlowKind: IdentifierKind { package static let prefix = "flw" }
package typealias SignInFlowID = PrefixedID<SignInFlowKind>

/// One authorization request that a browser, or a first-party app, is answering. It is nobody else's.
package struct SignInFlow: Sendable, Hashable {
    /// How long a person may take.
    package static let lifeSeconds: Int64 = 600
    /// How long after that a page that was left open still leads on: to the same request, begun anew.
    package static let keptSeconds: Int64 = 7 * 86_400
    /// As many live under one browser's cookie, one per tab; the oldest gives way.
    package static let mostPerBrowser: Int64 = 10

    package let id: SignInFlowID
    /// SHA-256 of the secret of whoever it belongs to.
    package let owner: [UInt8]
    package let request: AuthorizationRequest
    package let progress: SignInProgress
    /// Before its end: the session that it began with, whose proof it relies on. Finished: the session that it led to.
    package let session: UUID?
    /// What the browser was answered in the end; only it can read that.
    package let sealedAnswer: [UInt8]?
    package let createdAt: Timestamp
    package let endedAt: Timestamp?

    package init(
        id: SignInFlowID, owner: [UInt8], request: AuthorizationRequest, progress: SignInProgress, session: UUID?, sealedAnswer: [UInt8]? = nil,
        createdAt: Timestamp, endedAt: Timestamp? = nil
    ) {
        self.id = id
        self.owner = owner
        self.request = request
        self.progress = progress
        self.session = session
        self.sealedAnswer = sealedAnswer
        self.createdAt = createdAt
        self.endedAt = endedAt
    }

    package func hasExpired(at now: Timestamp) -> Bool { now >= progress.expiresAt }
}

extension AuthorizationRequest {
    /// What it asks of how the person has signed in. Classes (`acr_values`) that nobody here knows ask for nothing.
    package var demand: SignInDemand {
        SignInDemand(
            isFresh: prompt.contains(.login) || prompt.contains(.selectAccount), maximumAge: maxAgeSeconds,
            needsSecondFactor: acrValues.contains(Authentication.multiFactor) && !acrValues.contains(Authentication.password))
    }
}
