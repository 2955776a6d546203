/// Who holds which scope follows from its form, whatever service it is of (see `AccessTokenClaims`).
///
/// What a person lets an app do has no colon (`wallet`), what a machine does is `service:action`, what staff does is `service:operate`; and
/// `openid profile email offline_access` say what the client learns of the person. Customer's and staff's are never in one token.
package enum ScopeRules {
    package static let openID = "openid"
    package static let profile = "profile"
    package static let email = "email"
    package static let offlineAccess = "offline_access"
    private static let identity: Set<String> = [openID, profile, email, offlineAccess]
    private static let customerRole = "customer"
    private static let staffSuffix = ":operate"
    /// As many as anybody can mean.
    private static let maximumCount = 64

    package enum Fault: Error, Sendable, Hashable {
        /// Not a list of scopes (RFC 6749, section 3.3), or longer than any that is meant.
        case malformed
        /// Nothing is left that this client, this grant or this person can have.
        case none
        /// A customer's and a member of staff's at once.
        case mixed
    }

    /// - Throws: `malformed`.
    package static func list(_ text: String) throws(Fault) -> [String] {
        let parts = text.split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count <= maximumCount, parts.allSatisfy(isScope) else { throw .malformed }
        return parts.map(String.init).uniqued()
    }

    /// What an app can ask a person for: what it knows of it, the rest ignored (OpenID Connect Core, section 3.1.2.1).
    ///
    /// - Throws: `malformed`, `none`, `mixed`.
    package static func ofPerson(_ requested: String, for client: OAuthClient) throws(Fault) -> [String] {
        let scopes = try list(requested).filter { client.scopes.contains($0) && !isMachine($0) }
        guard !scopes.isEmpty else { throw .none }
        guard !scopes.contains(where: isStaff) || !scopes.contains(where: isCustomer) else { throw .mixed }
        return scopes
    }

    /// What of it this person can give: a customer's by a customer, staff's by a member of staff.
    ///
    /// - Throws: `none` when what the app is for is not among it.
    package static func granted(_ scopes: [String], to roles: Set<String>) throws(Fault) -> [String] {
        let granted = scopes.filter { scope in
            isCustomer(scope) ? roles.contains(customerRole) : isStaff(scope) ? !roles.subtracting([customerRole]).isEmpty : true
        }
        guard granted.contains(where: { !identity.contains($0) }) || scopes.allSatisfy(identity.contains) else { throw .none }
        return granted
    }

    /// What a machine gets: what it asks for, or all that it is registered for.
    ///
    /// - Throws: `malformed`, or `none` when it asks for more than that.
    package static func ofMachine(_ requested: String?, for client: OAuthClient) throws(Fault) -> [String] {
        let allowed = client.scopes.filter(isMachine)
        guard let requested else { return allowed }
        let scopes = try list(requested)
        guard scopes.allSatisfy(allowed.contains) else { throw .none }
        return scopes
    }

    /// What of a grant stands in the access token: staff's scopes stand alone.
    package static func ofAccessToken(_ granted: [String]) -> [String] {
        let staff = granted.filter(isStaff)
        return staff.isEmpty ? granted : staff
    }

    private static func isStaff(_ scope: String) -> Bool { scope.hasSuffix(staffSuffix) }
    private static func isMachine(_ scope: String) -> Bool { scope.contains(":") && !isStaff(scope) }
    private static func isCustomer(_ scope: String) -> Bool { !scope.contains(":") && !identity.contains(scope) }

    /// RFC 6749, section 3.3: visible ASCII without the quotation mark and the backslash.
    package static func isScope(_ text: some StringProtocol) -> Bool {
        (1...255).contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != 0x22 && $0 != 0x5C }
    }
}

extension [String] {
    /// Each once, in the order of its first occurrence.
    fileprivate func uniqued() -> [String] {
        var seen: Set<String> = []
        return filter { seen.insert($0).inserted }
    }
}
