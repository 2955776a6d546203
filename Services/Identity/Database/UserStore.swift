package import Contracts
package import FoundationEssentials
import Outbox
package import Postgres

/// The SQL of users and their roles; credentials have stores of their own.
package struct UserStore: Sendable {
    private static let columns = PostgresColumns(
        ("id", UUID.self), ("status", String.self), ("email", String?.self), ("name", String?.self), ("locale", String.self),
        ("credential_generation", Int64.self), ("created_at", PostgresTimestamp.self))

    package init() {}

    // MARK: find

    /// The user of an address, whatever its status; a deleted one has none.
    ///
    /// - Throws: `PostgresError`, ``UnreadableRow``.
    package func find(emailKey: String, _ session: PostgresSession) throws -> UserAccount? {
        try session.query("SELECT \(unsafeSQL: Self.columns) FROM users WHERE email_key = \(emailKey)").first.map(Self.read)
    }

    /// - Throws: `PostgresError`, ``UnreadableRow``.
    package func find(_ id: UUID, _ session: PostgresSession) throws -> UserAccount? {
        try session.query("SELECT \(unsafeSQL: Self.columns) FROM users WHERE id = \(id)").first.map(Self.read)
    }

    /// Locks the user until the end of the transaction: nothing is issued meanwhile.
    ///
    /// - Throws: `PostgresError`, ``UnreadableRow``.
    package func lock(_ id: UUID, _ session: PostgresSession) throws -> UserAccount? {
        try session.query("SELECT \(unsafeSQL: Self.columns) FROM users WHERE id = \(id) FOR NO KEY UPDATE").first.map(Self.read)
    }

    /// - Throws: `PostgresError`.
    package func roles(of user: UUID, _ session: PostgresSession) throws -> [UserRole] {
        let stored = try session.query("SELECT role FROM user_roles WHERE user_id = \(user)").map { row in try row.decode(String.self) }
        return UserRole.allCases.filter { stored.contains($0.rawValue) }
    }

    /// Users by id, latest first.
    ///
    /// - Throws: `PostgresError`, ``UnreadableRow``.
    package func list(role: UserRole?, status: UserStatus?, limit: Int, _ session: PostgresSession) throws -> [UserAccount] {
        try session.query(
            """
            SELECT \(unsafeSQL: Self.columns) FROM users u
            WHERE status = coalesce(\(status?.rawValue), status)
                AND (\(role?.rawValue)::text IS NULL OR EXISTS (SELECT FROM user_roles r WHERE r.user_id = u.id AND r.role = \(role?.rawValue)))
            ORDER BY id DESC LIMIT \(Int64(limit))
            """
        ).map(Self.read)
    }

    // MARK: write

    /// Makes a user, unless the address has one already.
    ///
    /// - Returns: whether it was made.
    /// - Throws: `PostgresError`.
    package func insert(
        _ id: UUID, email: String, emailKey: String, name: String?, locale: String, at now: Timestamp, _ session: PostgresSession
    ) throws -> Bool {
        try session.execute(
            """
            INSERT INTO users (id, status, email, email_key, name, locale, created_at, changed_at)
            VALUES (\(id), 'active', \(email), \(emailKey), \(name), \(locale), \(now.stored), \(now.stored))
            ON CONFLICT (email_key) DO NOTHING
            """) == 1
    }

    /// - Returns: whether the user did not have it before.
    /// - Throws: `PostgresError`.
    package func grant(_ role: UserRole, to user: UUID, by person: String, at now: Timestamp, _ session: PostgresSession) throws -> Bool {
        try session.execute(
            """
            INSERT INTO user_roles (user_id, role, granted_by, granted_at) VALUES (\(user), \(role.rawValue), \(person), \(now.stored))
            ON CONFLICT DO NOTHING
            """) == 1
    }

    /// - Returns: whether the user had it.
    /// - Throws: `PostgresError`.
    package func revoke(_ role: UserRole, from user: UUID, _ session: PostgresSession) throws -> Bool {
        try session.execute("DELETE FROM user_roles WHERE user_id = \(user) AND role = \(role.rawValue)") == 1
    }

    /// What is nil stays as it is.
    ///
    /// - Throws: `PostgresError`.
    package func change(_ id: UUID, name: String?, locale: String?, at now: Timestamp, _ session: PostgresSession) throws {
        try session.execute(
            """
            UPDATE users SET name = coalesce(\(name), name), locale = coalesce(\(locale), locale), changed_at = \(now.stored)
            WHERE id = \(id)
            """)
    }

    /// Sets a password and raises the credential generation with it.
    ///
    /// - Returns: the new generation.
    /// - Throws: `PostgresError`.
    func setPassword(_ phc: String, isShort: Bool, of user: UUID, at now: Timestamp, _ session: PostgresSession) throws -> Int64 {
        try session.execute(
            """
            INSERT INTO passwords (user_id, phc, set_at, is_short) VALUES (\(user), \(phc), \(now.stored), \(isShort))
            ON CONFLICT (user_id) DO UPDATE SET phc = EXCLUDED.phc, set_at = EXCLUDED.set_at, is_short = EXCLUDED.is_short
            """)
        return try raiseGeneration(of: user, at: now, session)
    }

    /// The first password of a user who was made just now.
    ///
    /// - Throws: `PostgresError`.
    func insertPassword(_ phc: String, of user: UUID, at now: Timestamp, _ session: PostgresSession) throws {
        try session.execute("INSERT INTO passwords (user_id, phc, set_at) VALUES (\(user), \(phc), \(now.stored))")
    }

    /// Makes everything void that was proved before: what is about to become a session as well.
    ///
    /// - Returns: the new generation.
    /// - Throws: `PostgresError`.
    package func raiseGeneration(of user: UUID, at now: Timestamp, _ session: PostgresSession) throws -> Int64 {
        try session.query(
            """
            UPDATE users SET credential_generation = credential_generation + 1, changed_at = \(now.stored) WHERE id = \(user)
            RETURNING credential_generation
            """)[0].decode(Int64.self)
    }

    /// - Throws: `PostgresError`.
    func disable(_ id: UUID, at now: Timestamp, _ session: PostgresSession) throws {
        try session.execute(
            """
            UPDATE users SET status = 'disabled', credential_generation = credential_generation + 1, changed_at = \(now.stored) WHERE id = \(id)
            """)
    }

    private static func read(_ row: PostgresRow) throws -> UserAccount {
        let (id, status, email, name, locale, generation, createdAt) = try row.decode(columns)
        guard let status = UserStatus(rawValue: status) else { throw UnreadableRow(table: "users") }
        return UserAccount(
            id: id, status: status, email: email, name: name, locale: locale, generation: generation, createdAt: Timestamp(createdAt))
    }
}
