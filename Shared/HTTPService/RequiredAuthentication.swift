package import AccessTokens

/// How a user must have signed in for what they ask for (RFC 9470); thrown, it is the challenge to do so.
package struct RequiredAuthentication: Error, Sendable, Hashable {
    /// Any of these authentication context classes (`acr`), the preferred one first; empty where every one will do.
    package let contexts: [String]
    /// The most seconds since then; nil for any time ago.
    package let maximumAgeSeconds: Int64?

    package init(contexts: [String], maximumAgeSeconds: Int64? = nil) {
        self.contexts = contexts
        self.maximumAgeSeconds = maximumAgeSeconds
    }

    /// - Parameter now: Unix seconds.
    package func isMet(by token: AccessToken, now: Int64) -> Bool {
        if !contexts.isEmpty {
            guard let context = token.authenticationContext, contexts.contains(context) else { return false }
        }
        if let maximumAgeSeconds {
            guard let time = token.authenticatedAt, now - time <= maximumAgeSeconds else { return false }
        }
        return true
    }
}
