/// What only doors other than a fleet-internal one answer: those of clients and of browsers.
extension ProblemCode {
    package static let clientInvalid = Self("client_invalid", status: 401, title: "The client's credentials are missing or not valid")
    package static let sessionMissing = Self("session_missing", status: 401, title: "A signed-in browser session is required")
    package static let insufficientUserAuthentication = Self(
        "insufficient_user_authentication", status: 401, title: "A stronger or more recent sign-in is required")
    package static let crossSiteRequest = Self("cross_site_request", status: 403, title: "The request comes from another site")

    package static let doors: [Self] = [clientInvalid, sessionMissing, insufficientUserAuthentication, crossSiteRequest]
}
