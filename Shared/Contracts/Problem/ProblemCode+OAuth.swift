/// What the token endpoint and its neighbours answer, by the names of RFC 6749 (section 5.2): `error` there, a code in the log.
extension ProblemCode {
    package static let invalidGrant = Self("invalid_grant", status: 400, title: "The code, token or secret is not valid for this client")
    package static let invalidScope = Self("invalid_scope", status: 400, title: "The scope is malformed or was not granted")
    package static let unauthorizedClient = Self("unauthorized_client", status: 400, title: "The client is not registered for this")
    package static let unsupportedGrantType = Self("unsupported_grant_type", status: 400, title: "The grant type is not supported")
    package static let unsupportedTokenType = Self("unsupported_token_type", status: 400, title: "Tokens of this kind can't be revoked")

    package static let oauth: [Self] = [invalidGrant, invalidScope, unauthorizedClient, unsupportedGrantType, unsupportedTokenType]
}
