package import Contracts
package import FoundationEssentials
import Outbox
package import Postgres

/// How sessions end: with their refresh families, in one statement, and with an event each.
extension SessionStore {
    /// Ends one session of the user's.
    ///
    /// - Returns: nil when the user has no such open session.
    /// - Throws: `PostgresError`.
    @discardableResult
    package func end(
        _ id: UUID, of user: UUID, reason: SessionEndReason, at now: Timestamp, traceparent: String? = nil, _ session: PostgresSession
    ) throws -> EndedSession? {
        try end(Choice(user: user, id: id), reason, now, traceparent, session).first
    }

    /// Ends all sessions of the user's but one.
    ///
    /// - Throws: `PostgresError`.
    @discardableResult
    package func endAll(
        of user: UUID, except kept: UUID?, reason: SessionEndReason, at now: Timestamp, traceparent: String? = nil, _ session: PostgresSession
    ) throws -> [EndedSession] {
        try end(Choice(user: user, kept: kept), reason, now, traceparent, session)
    }

    /// Ends all sessions on one of the user's devices.
    ///
    /// - Throws: `PostgresError`.
    @discardableResult
    package func endAll(
        onDevice device: UUID, of user: UUID, reason: SessionEndReason, at now: Timestamp, traceparent: String? = nil, _ session: PostgresSession
    ) throws -> [EndedSession] {
        try end(Choice(user: user, device: device), reason, now, traceparent, session)
    }

    /// Ends what an app has on one of the user's devices.
    ///
    /// - Throws: `PostgresError`.
    @discardableResult
    package func endAll(
        ofClient client: String, onDevice device: UUID, of user: UUID, reason: SessionEndReason, at now: Timestamp, traceparent: String? = nil,
        _ session: PostgresSession
    ) throws -> [EndedSession] {
        try end(Choice(user: user, device: device, client: client), reason, now, traceparent, session)
    }

    /// Which open sessions of a user's; nil is any.
    private struct Choice {
        let user: UUID
        var id: UUID?
        var device: UUID?
        var client: String?
        /// All but this.
        var kept: UUID?
    }

    private func end(
        _ choice: Choice, _ reason: SessionEndReason, _ now: Timestamp, _ traceparent: String?, _ session: PostgresSession
    ) throws -> [EndedSession] {
        let ended = try session.query(
            """
            WITH ended AS (
                UPDATE sessions SET ended_at = \(now.stored), end_reason = \(reason.rawValue)
                WHERE user_id = \(choice.user) AND \(unsafeSQL: Self.isOpen("sessions")) AND id = coalesce(\(choice.id), id)
                    AND device_id = coalesce(\(choice.device), device_id)
                    AND client_id IS NOT DISTINCT FROM coalesce(\(choice.client), client_id) AND id IS DISTINCT FROM \(choice.kept)
                RETURNING id
            ), families AS (
                UPDATE refresh_families f SET revoked_at = \(now.stored), revoke_reason = 'session_ended'
                FROM ended WHERE f.session_id = ended.id AND f.revoked_at IS NULL
            )
            SELECT id FROM ended ORDER BY id
            """
        ).map { row in EndedSession(id: try row.decode(UUID.self), user: choice.user) }
        let events = ended.map {
            SessionRevokedEvent(
                sessionID: SessionID($0.id), userID: UserID($0.user), reason: reason, revokedAt: now,
                tokensExpireAt: now.adding(seconds: SessionLife.tokenSeconds))
        }
        try SessionEvents.append(events, at: now, traceparent: traceparent, session)
        return ended
    }

    /// Lines up whoever changes one user's sessions. First of all locks: the gate takes the user's before the session's too.
    ///
    /// - Throws: `PostgresError`.
    package func lockOwner(_ user: UUID, _ session: PostgresSession) throws {
        try session.execute("SELECT FROM users WHERE id = \(user) FOR NO KEY UPDATE")
    }

    /// Gives the session that changed its user's credentials the number that they have now; others are left behind.
    ///
    /// - Throws: `PostgresError`.
    package func keep(_ id: UUID, of user: UUID, generation: Int64, _ session: PostgresSession) throws {
        try session.execute(
            """
            WITH kept AS (UPDATE sessions SET credential_generation = \(generation) WHERE id = \(id) AND user_id = \(user) RETURNING id)
            UPDATE refresh_families f SET credential_generation = \(generation) FROM kept WHERE f.session_id = kept.id AND f.revoked_at IS NULL
            """)
    }
}
