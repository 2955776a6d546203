import Contracts
import FoundationEssentials
import Outbox
import Postgres

extension UserStore {
    /// Erases all that is known of a person. The ids stay: of the user, whom the ledger and the audit name, and of devices and sessions
    /// until they are purged.
    ///
    /// The user's row is locked, and the sessions have ended.
    /// - Throws: `PostgresError`.
    func erase(_ id: UUID, at now: Timestamp, _ session: PostgresSession) throws {
        _ = try session.pipeline([
            "DELETE FROM mailed_codes WHERE email_key = (SELECT email_key FROM users WHERE id = \(id))",
            "DELETE FROM mailed_codes WHERE user_id = \(id)",
            "DELETE FROM passwords WHERE user_id = \(id)",
            "DELETE FROM totp_credentials WHERE user_id = \(id)",
            "DELETE FROM recovery_codes WHERE user_id = \(id)",
            "DELETE FROM user_roles WHERE user_id = \(id)",
            "DELETE FROM consents WHERE user_id = \(id)",
            // Requests hold what relying parties know of the person (`login_hint`).
            "DELETE FROM sign_in_flows WHERE user_id = \(id)",
            """
            UPDATE devices SET name = 'deleted', app = '', place = NULL, removed_at = coalesce(removed_at, \(now.stored)) WHERE user_id = \(id)
            """,
            """
            UPDATE users SET status = 'deleted', email = NULL, email_key = NULL, name = NULL,
                credential_generation = credential_generation + 1, changed_at = \(now.stored)
            WHERE id = \(id)
            """,
        ])
    }
}
