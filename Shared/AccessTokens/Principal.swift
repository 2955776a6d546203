/// On whose behalf a request is made: the `sub` of an access token, told apart by kind.
package enum Principal: Sendable, Hashable {
    /// A person; the value is the `sub`, a `usr_…` identifier.
    case user(String)
    /// A client that acts for itself (client credentials); the value is the `client_id`, which such a token repeats as `sub`.
    case client(String)

    /// What the `sub` of a person starts with; no client may be named so.
    package static let userPrefix = "usr_"
}

extension Principal: CustomStringConvertible {
    /// The principal with its kind, `user:usr_…` or `client:acme`; safe to log and stable enough to be a scope of keys.
    package var description: String {
        switch self {
        case .user(let subject): "user:\(subject)"
        case .client(let clientID): "client:\(clientID)"
        }
    }
}
