package import Contracts

/// What an authorization request asks of how a person has signed in (OpenID Connect Core, section 3.1.2.1; RFC 9470).
package struct SignInDemand: Sendable, Hashable {
    /// Signed in anew for this very request: `prompt=login`, and `select_account`, since a browser has one account at a time.
    package let isFresh: Bool
    /// `max_age`, in seconds; 0 is anew as well.
    package let maximumAge: Int64?
    /// `acr_values` that only a second factor meets.
    package let needsSecondFactor: Bool

    package init(isFresh: Bool = false, maximumAge: Int64? = nil, needsSecondFactor: Bool = false) {
        self.isFresh = isFresh
        self.maximumAge = maximumAge
        self.needsSecondFactor = needsSecondFactor
    }

    /// Whether a person who is signed in must enter the password again.
    package func asksPassword(of session: Authentication, at now: Timestamp) -> Bool {
        asksPassword(after: now.microsecondsSinceUnixEpoch - session.authenticatedAt.microsecondsSinceUnixEpoch)
    }

    /// - Parameter age: Microseconds since they did.
    func asksPassword(after age: Int64) -> Bool {
        guard !isFresh, maximumAge != 0 else { return true }
        return maximumAge.map { (age + 999_999) / 1_000_000 > $0 } ?? false
    }
}
