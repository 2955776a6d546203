/// Why no token is issued. The client learns only which kind of mistake it is; the log learns which of these.
package enum TokenRefusal: String, Error, Sendable, Hashable, CaseIterable {
    case grantTypeUnknown = "grant_type_unknown"
    case grantTypeNotAllowed = "grant_type_not_allowed"
    case scopeNotGranted = "scope_not_granted"
    case scopeMalformed = "scope_malformed"
    case userNotActive = "user_not_active"
    case generationChanged = "generation_changed"
    case sessionEnded = "session_ended"
    case clientDisabled = "client_disabled"
    case codeUnknown = "code_unknown"
    case codeExpired = "code_expired"
    case codeMismatch = "code_mismatch"
    case codeReused = "code_reused"
    case refreshUnknown = "refresh_unknown"
    case refreshExpired = "refresh_expired"
    case refreshRevoked = "refresh_revoked"
    case refreshStolen = "refresh_stolen"
}
