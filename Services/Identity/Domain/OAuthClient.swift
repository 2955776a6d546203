package import Contracts

package enum GrantType: String, Sendable, Hashable, CaseIterable {
    case authorizationCode = "authorization_code"
    case refreshToken = "refresh_token"
    case clientCredentials = "client_credentials"
}

/// A registered client: a relying party, an app or a machine.
package struct OAuthClient: Sendable, Hashable {
    package let id: String
    /// As people are shown it.
    package let name: String
    /// Has secrets; a public client proves itself by PKCE alone.
    package let isConfidential: Bool
    /// May sign people in without a browser, and asks no consent.
    package let isFirstParty: Bool
    package let redirectURIs: [String]
    package let postLogoutRedirectURIs: [String]
    /// Web origins that may read its answers (CORS).
    package let origins: [String]
    package let grants: Set<GrantType>
    /// What it can be given at most.
    package let scopes: [String]
    /// The audience of its access tokens.
    package let audience: String
    /// The audience whose tokens it may introspect, beside what it was issued itself.
    package let introspects: String?
    package let disabledAt: Timestamp?

    package init(
        id: String, name: String, isConfidential: Bool, isFirstParty: Bool = false, redirectURIs: [String] = [],
        postLogoutRedirectURIs: [String] = [], origins: [String] = [], grants: Set<GrantType>, scopes: [String],
        audience: String = OAuthClient.defaultAudience, introspects: String? = nil, disabledAt: Timestamp? = nil
    ) {
        self.id = id
        self.name = name
        self.isConfidential = isConfidential
        self.isFirstParty = isFirstParty
        self.redirectURIs = redirectURIs
        self.postLogoutRedirectURIs = postLogoutRedirectURIs
        self.origins = origins
        self.grants = grants
        self.scopes = scopes
        self.audience = audience
        self.introspects = introspects
        self.disabledAt = disabledAt
    }

    package static let defaultAudience = "florin-api"
}
