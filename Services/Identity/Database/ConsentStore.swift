package import Contracts
package import FoundationEssentials
import Outbox
package import Postgres

/// The SQL of consents: what a person lets a client have, until they take it back.
package struct ConsentStore: Sendable {
    package init() {}

    /// Whether the person must be asked. First-party apps are part of florin and ask for none.
    ///
    /// - Throws: `PostgresError`.
    package func isNeeded(_ request: AuthorizationRequest, of user: UUID, _ session: PostgresSession) throws -> Bool {
        if request.prompt.contains(.consent) { return true }
        return try session.query(
            """
            SELECT NOT EXISTS (SELECT FROM clients WHERE id = \(request.clientID) AND is_first_party)
                AND NOT EXISTS (SELECT FROM consents WHERE user_id = \(user) AND client_id = \(request.clientID) AND scopes @> \(request.scopes))
            """)[0].decode(Bool.self)
    }

    /// Grants these beside what is granted already.
    ///
    /// - Throws: `PostgresError`.
    package func grant(_ scopes: [String], of user: UUID, client: String, at now: Timestamp, _ session: PostgresSession) throws {
        try session.execute(
            """
            INSERT INTO consents (user_id, client_id, scopes, granted_at) VALUES (\(user), \(client), \(scopes), \(now.stored))
            ON CONFLICT (user_id, client_id) DO UPDATE SET granted_at = excluded.granted_at,
                scopes = ARRAY(SELECT DISTINCT scope FROM unnest(consents.scopes || excluded.scopes) AS scope ORDER BY scope)
            """)
    }
}
