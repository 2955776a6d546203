import AccessTokens
import Contracts
import HTTPService
import HTTPTypes

/// What a person signs in with, for its owner.
struct CredentialRoutes {
    let changePassword: ChangePassword
    let enrol: EnrolTOTP
    let confirm: ConfirmTOTP
    let remove: RemoveTOTP
    let replaceRecoveryCodes: ReplaceRecoveryCodes

    private static let owners = TokenAccess.signedWithToken([
        RouteGrant(callers: ["api-gateway", "mobile-bff"], holder: .user, scope: "wallet")
    ])
    /// Codes and secrets are for one pair of eyes.
    private static let unstored = [HTTPField(name: .cacheControl, value: "no-store")]

    var endpoints: [Endpoint] {
        [
            Endpoint(.post, "/v1/me/password", access: Self.owners, body: .json, handler: password),
            Endpoint(.post, "/v1/me/mfa/totp", access: Self.owners, handler: enrolment),
            Endpoint(.post, "/v1/me/mfa/totp/confirm", access: Self.owners, body: .json, handler: confirmation),
            Endpoint(.delete, "/v1/me/mfa/totp", access: Self.owners, handler: removal),
            Endpoint(.post, "/v1/me/mfa/recovery-codes", access: Self.owners, handler: recoveryCodes),
        ]
    }

    private func password(_ request: AuthenticatedRequest) async throws -> Answer {
        let body = try request.decode(ChangePasswordRequest.self)
        let asking = try request.signedInUser
        try await Problem.naming(password: "new_password") { try await changePassword(body, asking, RequestFacts(request)) }
        return .noContent()
    }

    private func enrolment(_ request: AuthenticatedRequest) async throws -> Answer {
        let enrolment = try await enrol(try request.signedInUser, RequestFacts(request))
        // An address is never as long as the largest code.
        let body = TOTPEnrolmentBody(
            secret: enrolment.secret, uri: enrolment.uri, qrCode: QRCode(enrolment.uri)?.svg ?? "", expiresAt: enrolment.expiresAt)
        return Answer(.ok, body, extraHeaders: Self.unstored)
    }

    private func confirmation(_ request: AuthenticatedRequest) async throws -> Answer {
        let body = try request.decode(ConfirmTOTPRequest.self)
        return shown(try await confirm(body.code, try request.signedInUser, RequestFacts(request)))
    }

    private func removal(_ request: AuthenticatedRequest) async throws -> Answer {
        try await remove(try request.signedInUser, RequestFacts(request))
        return .noContent()
    }

    private func recoveryCodes(_ request: AuthenticatedRequest) async throws -> Answer {
        shown(try await replaceRecoveryCodes(try request.signedInUser, RequestFacts(request)))
    }

    private func shown(_ codes: [RecoveryCode]) -> Answer {
        Answer(.ok, RecoveryCodesBody(recoveryCodes: codes.map(\.shown)), extraHeaders: Self.unstored)
    }
}
