import AccessTokens
import RequestSigning

/// Who sends a request: the service that signs it and the token that it brings.
struct DemoCaller: Sendable {
    let signer: RequestSigner
    let token: String

    /// - Throws: `SigningKeysError` or `LocalTokenIssuerError`, both safe to print.
    init(
        service: String, callee: String = "wallet-ledger", principal: Principal, scopes: [String], roles: [String] = [], issuer: LocalTokenIssuer,
        keysDirectory: String,
        now: Int64
    ) async throws {
        let keys = try SigningKeyStore(path: SigningKeyFolder(path: keysDirectory).path(of: service))
        signer = RequestSigner(keys: keys, callee: callee)
        token = try await issuer.token(for: principal, scopes: scopes, roles: roles, now: now)
    }
}
