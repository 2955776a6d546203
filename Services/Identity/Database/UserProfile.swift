import FoundationEssentials
import Postgres

/// What of a user clients can learn.
struct UserProfile: Sendable {
    let name: String?
    let locale: String
    let email: String?

    /// - Throws: `PostgresError`.
    static func find(_ session: PostgresSession, _ user: UUID) throws -> UserProfile? {
        try session.query("SELECT name, locale, email FROM users WHERE id = \(user) AND status = 'active'").first.map { row in
            let (name, locale, email) = try row.decode(String?.self, String.self, String?.self)
            return UserProfile(name: name, locale: locale, email: email)
        }
    }
}
