import Contracts

/// Gives a machine a token of its own (RFC 6749, section 4.4). It leaves no row.
struct IssueClientToken: Sendable {
    let mint: TokenMint

    /// - Throws: ``TokenRefusal``, ``NoSigningKey``.
    func callAsFunction(scope: String?, client: OAuthClient) throws -> TokenBody {
        let scopes: [String]
        do throws(ScopeRules.Fault) {
            scopes = try ScopeRules.ofMachine(scope, for: client)
        } catch {
            throw error == .malformed ? TokenRefusal.scopeMalformed : TokenRefusal.scopeNotGranted
        }
        return try mint.token(for: client, scopes: scopes)
    }
}
