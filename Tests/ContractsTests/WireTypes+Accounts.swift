import Contracts

extension WireType {
    /// Those of identity's accounts.
    static let accounts = [
        WireType(
            "RegisterUserRequest", values: RegisterUserRequest(email: "a@example.com", password: "p", name: "Ana", locale: "de"),
            RegisterUserRequest(email: "a@example.com", password: "p")),
        WireType("CodeRequested", values: CodeRequestedBody(flow: "f", expiresAt: Samples.time)),
        WireType("VerifyEmailRequest", values: VerifyEmailRequest(flow: "f", code: "123456")),
        WireType("RegisteredUser", values: UserIDBody(userID: Samples.owner)),
        WireType("RecoveryRequest", values: RecoveryRequest(email: "a@example.com")),
        WireType(
            "CompleteRecoveryRequest",
            values: CompleteRecoveryRequest(flow: "f", code: "123456", newPassword: "p", secondFactor: "654321"),
            CompleteRecoveryRequest(flow: "f", code: "123456", newPassword: "p")),
        WireType(
            "Profile",
            values: ProfileBody(
                id: Samples.owner, email: "a@example.com", name: "Ana", locale: "de", roles: [.customer, .riskAnalyst], createdAt: Samples.time),
            ProfileBody(id: Samples.owner, email: "a@example.com", name: nil, locale: "en", roles: [], createdAt: Samples.time)),
        WireType("ChangeProfileRequest", values: ChangeProfileRequest(name: "Ana", locale: "en-GB"), ChangeProfileRequest()),
        WireType("ResolveUserRequest", values: ResolveUserRequest(email: "a@example.com")),
        WireType(
            "Revocation", values: RevocationBody(sessionID: Samples.sessionID, revokedAt: Samples.time, tokensExpireAt: Samples.time)),
        WireType(
            "RevocationPage",
            values: PageBody(
                items: [RevocationBody(sessionID: Samples.sessionID, revokedAt: Samples.time, tokensExpireAt: Samples.time)], nextCursor: "c"),
            PageBody(items: [], nextCursor: nil)),
    ]
}
