package import Contracts
package import FoundationEssentials
import Outbox
package import Postgres

/// The one gate before every code and token: of each grant, and of the pages.
///
/// It asks whether user and client are enabled, the session alive, and the credentials those that were shown; and it keeps user and session as
/// they are until the transaction has ended, so that nothing is issued while one of them changes. Locks are taken in one order everywhere:
/// user, session, code, family.
package struct TokenGate: Sendable {
    private let now: @Sendable () -> Timestamp

    package init(now: @escaping @Sendable () -> Timestamp) {
        self.now = now
    }

    /// - Parameter generation: The user's credential generation that the code, flow or family began with.
    /// - Returns: the user's roles.
    /// - Throws: ``TokenRefusal``, `PostgresError`.
    @discardableResult
    package func admit(
        _ session: PostgresSession, user: UUID, generation: Int64, session id: UUID, client: String
    ) throws -> Set<String> {
        let results = try session.pipeline(Self.queries(user: .id(user), session: .id(id), client: client))
        return try check(results[...], generation: generation)
    }

    /// Whose user and session are asked for: of their own id, or of what another row names.
    enum Reference: Sendable {
        case id(UUID)
        /// A subquery of ours.
        case of(PostgresQuery)
    }

    /// What ``check(_:generation:)`` reads, to be sent in one round trip with what it guards.
    static func queries(user: Reference, session: Reference, client: String) -> [PostgresQuery] {
        [
            query("SELECT id, status = 'active', credential_generation FROM users WHERE id = ", user, " FOR SHARE"),
            query(
                """
                SELECT \(SessionStore.isOpen("s")), \(SessionStore.end("s")), s.user_id, s.credential_generation FROM sessions s WHERE s.id =
                """, session, " FOR NO KEY UPDATE"),
            query("SELECT coalesce(array_agg(role), '{}') FROM user_roles WHERE user_id = ", user, ""),
            "SELECT disabled_at IS NULL FROM clients WHERE id = \(client)",
        ]
    }

    static let queryCount = 4

    func check(_ results: ArraySlice<PostgresResult>, generation: Int64) throws -> Set<String> {
        let (users, sessions, roles, clients) = (
            results[results.startIndex], results[results.startIndex + 1], results[results.startIndex + 2], results[results.startIndex + 3]
        )
        guard let user = try users.first?.decode(UUID.self, Bool.self, Int64.self), user.1 else { throw TokenRefusal.userNotActive }
        guard user.2 == generation else { throw TokenRefusal.generationChanged }
        guard let row = try sessions.first?.decode(Bool.self, PostgresTimestamp.self, UUID.self, Int64.self), row.0, now() < Timestamp(row.1),
            row.2 == user.0, row.3 == generation
        else { throw TokenRefusal.sessionEnded }
        guard try clients.first?.decode(Bool.self) == true else { throw TokenRefusal.clientDisabled }
        return Set(try roles[0].decode([String].self))
    }

    /// Whether what was issued to a client for the session is still good: asked, and not kept so. For introspection and userinfo.
    ///
    /// - Throws: `PostgresError`.
    func isAlive(_ session: PostgresSession, user: UUID, session id: UUID, client: String) throws -> Bool {
        try session.query(
            """
            SELECT EXISTS (SELECT \(unsafeSQL: SessionStore.living) \(now().stored) AND s.id = \(id) AND s.user_id = \(user))
                AND EXISTS (SELECT FROM clients WHERE id = \(client) AND disabled_at IS NULL)
            """)[0].decode(Bool.self)
    }

    private static func query(_ head: String, _ reference: Reference, _ tail: String) -> PostgresQuery {
        switch reference {
        case .id(let id): "\(unsafeSQL: head) \(id) \(unsafeSQL: tail)"
        case .of(let query): PostgresQuery(unsafeSQL: "\(head) (\(query.sql)) \(tail)", binds: query.binds)
        }
    }
}
