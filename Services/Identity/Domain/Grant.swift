package import FoundationEssentials

/// What a person has let a client have: what a code and a refresh family stand for.
package struct Grant: Sendable, Hashable {
    package let clientID: String
    package let session: UUID
    package let scopes: [String]
    package let nonce: String?
    package let authentication: Authentication

    package init(clientID: String, session: UUID, scopes: [String], nonce: String?, authentication: Authentication) {
        self.clientID = clientID
        self.session = session
        self.scopes = scopes
        self.nonce = nonce
        self.authentication = authentication
    }
}
