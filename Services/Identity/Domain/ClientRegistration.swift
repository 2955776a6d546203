import Contracts

/// Why a client can't be registered as asked, in words for the operator.
package struct ClientRegistrationFault: Error, Sendable, Hashable, CustomStringConvertible {
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// What a client must be to be registered.
package enum ClientRegistration {
    private static let nameLengths = 1...100
    private static let maximumAddresses = 20
    private static let maximumScopes = 64

    /// - Throws: what is wrong.
    package static func check(_ client: OAuthClient) throws(ClientRegistrationFault) {
        guard ClientID.isPossible(client.id) else {
            throw ClientRegistrationFault("the id must have 2 to 63 lower-case letters, digits and hyphens, and not begin with usr_")
        }
        guard nameLengths.contains(client.name.unicodeScalars.count), client.name.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F })
        else { throw ClientRegistrationFault("the name must have 1 to 100 characters") }
        for address in client.redirectURIs + client.postLogoutRedirectURIs { try check(address: address) }
        guard client.redirectURIs.count <= maximumAddresses, client.postLogoutRedirectURIs.count <= maximumAddresses else {
            throw ClientRegistrationFault("a client has at most \(maximumAddresses) addresses of each kind")
        }
        try checkGrants(client)
        try checkScopes(client)
    }

    private static func check(address: String) throws(ClientRegistrationFault) {
        do throws(RedirectURIFault) {
            try RedirectURI.check(address)
        } catch {
            let reason =
                switch error {
                case .notPlainASCII: "it must have 1 to \(RedirectURI.maximumBytes) visible ASCII characters"
                case .fragment: "it must have no fragment"
                case .wildcard: "it is compared byte by byte, so * stands for nothing"
                case .userInformation: "it must hold no @ before or as part of the host"
                case .scheme: "it must be https, http on 127.0.0.1 or [::1], or a scheme of the app's own with a dot in it"
                case .noHost: "it must name a host"
                case .ambiguous:
                    "it must hold no backslash, its path no . or .., and its host is lower-case letters, digits, hyphens and dots, maybe with a port"
                case .answerParameter: "its query must name no parameter of the answer, such as code or state"
                }
            throw ClientRegistrationFault("the address \(address.prefix(200)) is refused: \(reason)")
        }
    }

    private static func checkGrants(_ client: OAuthClient) throws(ClientRegistrationFault) {
        guard !client.grants.isEmpty else { throw ClientRegistrationFault("a client needs at least one grant type") }
        guard !client.grants.contains(.clientCredentials) || client.isConfidential else {
            throw ClientRegistrationFault("only a confidential client can have client_credentials")
        }
        guard !client.grants.contains(.refreshToken) || client.grants.contains(.authorizationCode) else {
            throw ClientRegistrationFault("refresh_token goes with authorization_code")
        }
        guard !client.grants.contains(.authorizationCode) || !client.redirectURIs.isEmpty || client.isFirstParty else {
            throw ClientRegistrationFault("authorization_code needs a redirect URI")
        }
        guard client.introspects == nil || client.isConfidential else {
            throw ClientRegistrationFault("only a confidential client can introspect")
        }
        for audience in [client.audience] + [client.introspects].compactMap(\.self) where !ScopeRules.isScope(audience) {
            throw ClientRegistrationFault("an audience must have 1 to 255 visible ASCII characters")
        }
    }

    private static func checkScopes(_ client: OAuthClient) throws(ClientRegistrationFault) {
        guard client.scopes.count <= maximumScopes, client.scopes.allSatisfy({ ScopeRules.isScope($0) }) else {
            throw ClientRegistrationFault("scopes must be visible ASCII, \(maximumScopes) at most")
        }
        guard Set(client.scopes).count == client.scopes.count else { throw ClientRegistrationFault("a scope is named twice") }
    }
}
