import Contracts
import FoundationEssentials
import Outbox
import Postgres

/// A TOTP secret as it is stored.
struct StoredTOTP: Sendable {
    let id: UUID
    let sealedSecret: [UInt8]
    let createdAt: Timestamp

    /// What the secret is sealed for.
    static func context(_ id: UUID) -> String { "totp_credentials/\(id.uuidString)" }
}

/// The SQL of TOTP secrets and recovery codes.
struct SecondFactorStore {
    /// - Throws: `PostgresError`.
    func totp(_ session: PostgresSession, of user: UUID, isConfirmed: Bool) throws -> StoredTOTP? {
        let rows = try session.query(
            "SELECT id, sealed_secret, created_at FROM totp_credentials WHERE user_id = \(user) AND (confirmed_at IS NOT NULL) = \(isConfirmed)")
        return try rows.first.map { row in
            let (id, sealedSecret, createdAt) = try row.decode(UUID.self, [UInt8].self, PostgresTimestamp.self)
            return StoredTOTP(id: id, sealedSecret: sealedSecret, createdAt: Timestamp(createdAt))
        }
    }

    /// Uses a step up: of all who bring its code, through whatever door, one is let in (ID-15).
    ///
    /// - Returns: false when it, or a later one, has been used.
    /// - Throws: `PostgresError`.
    func use(_ session: PostgresSession, step: Int64, of id: UUID) throws -> Bool {
        try session.execute("UPDATE totp_credentials SET last_step = \(step) WHERE id = \(id) AND last_step < \(step)") == 1
    }

    /// Uses a recovery code up.
    ///
    /// - Returns: false when the user has none like it that is unused.
    /// - Throws: `PostgresError`.
    func use(_ session: PostgresSession, recoveryCode hash: [UInt8], of user: UUID, at now: Timestamp) throws -> Bool {
        try session.execute(
            "UPDATE recovery_codes SET used_at = \(now.stored) WHERE user_id = \(user) AND hash = \(hash) AND used_at IS NULL") == 1
    }

    /// Puts a secret to be confirmed in the place of an earlier one.
    ///
    /// - Throws: `PostgresError`.
    func begin(_ session: PostgresSession, _ id: UUID, sealedSecret: [UInt8], of user: UUID, at now: Timestamp) throws {
        try session.execute("DELETE FROM totp_credentials WHERE user_id = \(user) AND confirmed_at IS NULL")
        try session.execute(
            """
            INSERT INTO totp_credentials (id, user_id, sealed_secret, created_at) VALUES (\(id), \(user), \(sealedSecret), \(now.stored))
            """)
    }

    /// Makes the secret that was being enrolled the user's one.
    ///
    /// - Throws: `PostgresError`.
    func confirm(_ session: PostgresSession, _ id: UUID, of user: UUID, at now: Timestamp) throws {
        try session.execute("DELETE FROM totp_credentials WHERE user_id = \(user) AND id <> \(id)")
        try session.execute("UPDATE totp_credentials SET confirmed_at = \(now.stored) WHERE id = \(id)")
    }

    /// Removes the second factor, its codes included.
    ///
    /// - Throws: `PostgresError`.
    func remove(_ session: PostgresSession, of user: UUID) throws {
        try session.execute("DELETE FROM recovery_codes WHERE user_id = \(user)")
        try session.execute("DELETE FROM totp_credentials WHERE user_id = \(user)")
    }

    /// Puts new codes in the place of all earlier ones.
    ///
    /// - Throws: `PostgresError`.
    func replace(_ session: PostgresSession, recoveryCodes hashes: [[UInt8]], of user: UUID, at now: Timestamp) throws {
        try session.execute("DELETE FROM recovery_codes WHERE user_id = \(user)")
        try session.execute(
            """
            INSERT INTO recovery_codes (user_id, hash, created_at)
            SELECT \(user), hash, \(now.stored) FROM unnest(\(hashes)) AS new (hash)
            """)
    }
}
