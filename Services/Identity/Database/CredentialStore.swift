import Contracts
import FoundationEssentials
import Outbox
import Postgres

/// A user as whoever verifies a credential sees them.
struct CredentialHolder: Sendable {
    let id: UUID
    let email: EmailAddress
    let isActive: Bool
    let generation: Int64
    let password: StoredPassword?
    /// Whether a TOTP is confirmed.
    let hasSecondFactor: Bool
    /// Whether the account knows the device that asks.
    let isKnownDevice: Bool
}

struct StoredPassword: Sendable {
    let hash: PasswordHash
    /// Good only beside a second factor.
    let isShort: Bool
}

/// The SQL of passwords.
struct CredentialStore {
    /// The user with an address; nil when there is none.
    ///
    /// - Throws: `PostgresError`, ``UnreadableRow``.
    func holder(_ session: PostgresSession, of address: EmailAddress, device: [UInt8]?) throws -> CredentialHolder? {
        try session.query("\(unsafeSQL: Self.columns) AND d.key_hash = \(device ?? [])) \(unsafeSQL: Self.tables) WHERE u.email_key = \(address.key)")
            .first.map(Self.holder)
    }

    /// A user who was not deleted.
    ///
    /// - Throws: `PostgresError`, ``UnreadableRow``.
    func holder(_ session: PostgresSession, _ user: UUID, device: [UInt8]?) throws -> CredentialHolder? {
        try session.query(
            """
            \(unsafeSQL: Self.columns) AND d.key_hash = \(device ?? [])) \(unsafeSQL: Self.tables)
            WHERE u.id = \(user) AND u.email_key IS NOT NULL
            """
        ).first.map(Self.holder)
    }

    /// Up to the condition on the device, whose parenthesis stays open.
    private static let columns = """
        SELECT u.id, u.email, u.status = 'active', u.credential_generation, p.phc, p.is_short,
            EXISTS (SELECT FROM totp_credentials t WHERE t.user_id = u.id AND t.confirmed_at IS NOT NULL),
            EXISTS (SELECT FROM devices d WHERE d.user_id = u.id AND d.removed_at IS NULL
        """
    private static let tables = "FROM users u LEFT JOIN passwords p ON p.user_id = u.id"

    private static func holder(_ row: PostgresRow) throws -> CredentialHolder {
        let (id, email, isActive, generation, phc, isShort, hasSecondFactor, isKnownDevice) = try row.decode(
            UUID.self, String.self, Bool.self, Int64.self, String?.self, Bool?.self, Bool.self, Bool.self)
        guard let email = EmailAddress(email) else { throw UnreadableRow(table: "users") }
        var password: StoredPassword?
        if let phc, let isShort {
            guard let hash = PasswordHash(phc) else { throw UnreadableRow(table: "passwords") }
            password = StoredPassword(hash: hash, isShort: isShort)
        }
        return CredentialHolder(
            id: id, email: email, isActive: isActive, generation: generation, password: password, hasSecondFactor: hasSecondFactor,
            isKnownDevice: isKnownDevice)
    }

    /// What the user's device is known by; nil for one that was removed.
    ///
    /// - Throws: `PostgresError`.
    func deviceHash(_ session: PostgresSession, of device: UUID) throws -> [UInt8]? {
        try session.query("SELECT key_hash FROM devices WHERE id = \(device) AND removed_at IS NULL").first?.decode([UInt8].self)
    }

    /// Stores another hash of the same password, unless it has been changed meanwhile.
    ///
    /// - Throws: `PostgresError`.
    func rehash(_ session: PostgresSession, _ user: UUID, from old: PasswordHash, to new: PasswordHash) throws {
        try session.execute("UPDATE passwords SET phc = \(new.phc) WHERE user_id = \(user) AND phc = \(old.phc)")
    }
}
