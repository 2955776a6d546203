import FoundationEssentials

/// The claims of an access token as they stand on the wire (RFC 9068, section 2.2).
struct AccessTokenClaims: Codable, Sendable {
    var issuer: String
    var audience: Audience
    var subject: String
    var clientID: String
    var tokenID: String
    var expiresAt: Int64
    var issuedAt: Int64
    var notBefore: Int64?
    var scope: String?
    var roles: [String]?
    var authenticationContext: String?
    var authenticatedAt: Int64?
    var sessionID: String?

    private enum CodingKeys: String, CodingKey {
        case issuer = "iss"
        case audience = "aud"
        case subject = "sub"
        case clientID = "client_id"
        case tokenID = "jti"
        case expiresAt = "exp"
        case issuedAt = "iat"
        case notBefore = "nbf"
        case scope
        case roles
        case authenticationContext = "acr"
        case authenticatedAt = "auth_time"
        case sessionID = "sid"
    }

    /// `aud`, which may be one string or a list of them (RFC 7519, section 4.1.3).
    struct Audience: Codable, Sendable {
        let values: [String]

        init(_ value: String) {
            self.values = [value]
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let value = try? container.decode(String.self) {
                self.values = [value]
            } else {
                self.values = try container.decode([String].self)
            }
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            if values.count == 1 {
                try container.encode(values[0])
            } else {
                try container.encode(values)
            }
        }
    }
}

extension AccessTokenClaims {
    /// The longest `sub`, `client_id`, `jti`, `acr`, `sid` or role, in bytes.
    private static let maximumNameBytes = 255
    /// Times that are plausible at all, in Unix seconds: up to the end of the year 9999, far from overflow.
    private static let plausibleTimes: ClosedRange<Int64> = 0...253_402_300_799
    private static let serviceScopeSeparator: Character = ":"
    private static let staffScopeSuffix = ":operate"

    /// The token that these claims make, judged by `policy` at `now` (Unix seconds); only for claims whose signature is good.
    func accepted(by policy: AccessTokenPolicy, now: Int64) throws(TokenRejection) -> AccessToken {
        guard issuer == policy.issuer else { throw .invalid(.issuer) }
        guard audience.values.contains(policy.audience) else { throw .invalid(.audience) }
        let names = [subject, clientID, tokenID] + [authenticationContext, sessionID].compactMap(\.self) + (roles ?? [])
        guard names.allSatisfy(Self.isName) else { throw .invalid(.claims) }
        try checkTimes(now: now)
        let principal = try principal()
        let scopes = try scopes()
        try Self.check(scopes: scopes, roles: roles ?? [], of: principal)
        return AccessToken(
            issuer: issuer, principal: principal, clientID: clientID, scopes: scopes, roles: Set(roles ?? []),
            authenticationContext: authenticationContext, authenticatedAt: authenticatedAt, sessionID: sessionID, issuedAt: issuedAt,
            expiresAt: expiresAt, tokenID: tokenID)
    }

    private func checkTimes(now: Int64) throws(TokenRejection) {
        let times = [expiresAt, issuedAt] + [notBefore, authenticatedAt].compactMap(\.self)
        guard times.allSatisfy(Self.plausibleTimes.contains) else { throw .invalid(.claims) }
        guard issuedAt < expiresAt else { throw .invalid(.time) }
        let latest = now + AccessTokenPolicy.leeway
        // A future auth_time would pass every step-up check for ever.
        guard issuedAt <= latest, (notBefore ?? 0) <= latest, (authenticatedAt ?? 0) <= latest else { throw .invalid(.time) }
        guard now < expiresAt + AccessTokenPolicy.leeway else { throw .expired }
    }

    private func principal() throws(TokenRejection) -> Principal {
        // A client that could be registered under a person's name would be taken for that person.
        guard !clientID.hasPrefix(Principal.userPrefix) else { throw .invalid(.subject) }
        if subject.hasPrefix(Principal.userPrefix) {
            guard subject.utf8.count > Principal.userPrefix.utf8.count else { throw .invalid(.subject) }
            return .user(subject)
        }
        guard subject == clientID else { throw .invalid(.subject) }
        return .client(clientID)
    }

    private func scopes() throws(TokenRejection) -> Set<String> {
        guard let scope else { return [] }
        let parts = scope.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        guard parts.allSatisfy(Self.isScope) else { throw .invalid(.claims) }
        return Set(parts)
    }

    /// Who holds a scope follows from its form, whatever service it is of: what a person lets an app do for them has no colon (`wallet`), what
    /// a client does in a service is `service:action`. A person never holds one of those, with one exception: staff, who have a role, hold
    /// `service:operate` of one service or more, and nothing that a customer could hold beside it.
    private static func check(scopes: Set<String>, roles: [String], of principal: Principal) throws(TokenRejection) {
        guard case .user = principal, scopes.contains(where: { $0.contains(serviceScopeSeparator) }) else { return }
        guard scopes.allSatisfy({ $0.hasSuffix(staffScopeSuffix) }), !roles.isEmpty else { throw .invalid(.scope) }
    }

    private static func isName(_ text: String) -> Bool {
        (1...maximumNameBytes).contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }

    /// RFC 6749, section 3.3: visible ASCII without the quotation mark and the backslash.
    private static func isScope(_ text: String) -> Bool {
        isName(text) && !text.utf8.contains { $0 == 0x22 || $0 == 0x5C }
    }
}
