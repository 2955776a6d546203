import Contracts
import FoundationEssentials
import Outbox
import Postgres

/// What a mailed code is for.
package enum MailedCodeKind: String, Sendable, Hashable {
    case registration
    case recovery
}

/// How far a registration or recovery has come.
package enum MailedCodeState: String, Sendable, Hashable {
    case code
    case secondFactor = "second_factor"
    case newPassword = "new_password"
    case finished
}

/// A registration or recovery as it is kept.
struct MailedCodeRow: Sendable {
    let id: UUID
    let kind: MailedCodeKind
    let state: MailedCodeState
    let email: String
    let emailKey: String
    /// Of a recovery: whose it is, nil for an unknown address. Of a registration: whom it became.
    let user: UUID?
    let generation: Int64?
    let passwordPHC: String?
    let name: String?
    let locale: String
    /// Nil where none was sent: then none is right.
    let sealedCode: [UInt8]?
    let wrongCodes: Int16
    let expiresAt: Timestamp

    /// The secrets' place in ``SecretBox``.
    var secretContext: String { Self.secretContext(id) }

    static func secretContext(_ id: UUID) -> String { "mailed_codes \(id.uuidString)" }
}

/// The SQL of registrations and recoveries.
struct MailedCodeStore: Sendable {
    private static let columns = PostgresColumns(
        ("id", UUID.self), ("kind", String.self), ("state", String.self), ("email", String.self), ("email_key", String.self),
        ("user_id", UUID?.self), ("credential_generation", Int64?.self), ("password_phc", String?.self), ("name", String?.self),
        ("locale", String.self), ("sealed_code", [UInt8]?.self), ("wrong_codes", Int16.self), ("expires_at", PostgresTimestamp.self))

    /// - Throws: `PostgresError`.
    func insert(_ row: MailedCodeRow, owner: [UInt8], at now: Timestamp, _ session: PostgresSession) throws {
        let values: PostgresArguments = [
            "id": row.id, "kind": row.kind.rawValue, "owner_hash": owner, "state": row.state.rawValue, "email": row.email,
            "email_key": row.emailKey, "user_id": row.user, "credential_generation": row.generation, "password_phc": row.passwordPHC,
            "name": row.name, "locale": row.locale, "sealed_code": row.sealedCode, "created_at": now.stored, "expires_at": row.expiresAt.stored,
        ]
        try session.execute("INSERT INTO mailed_codes (\(unsafeSQL: values.list)) VALUES (\(values))")
    }

    /// - Throws: `PostgresError`, ``UnreadableRow``.
    func find(_ kind: MailedCodeKind, owner: [UInt8], _ session: PostgresSession) throws -> MailedCodeRow? {
        try session.query("SELECT \(unsafeSQL: Self.columns) FROM mailed_codes WHERE owner_hash = \(owner) AND kind = \(kind.rawValue)")
            .first.map(Self.read)
    }

    /// Locks the row of a handle until the end of the transaction; nil for one that there is not.
    ///
    /// - Throws: `PostgresError`, ``UnreadableRow``.
    func lock(_ kind: MailedCodeKind, owner: [UInt8], _ session: PostgresSession) throws -> MailedCodeRow? {
        try session.query(
            """
            SELECT \(unsafeSQL: Self.columns) FROM mailed_codes WHERE owner_hash = \(owner) AND kind = \(kind.rawValue) FOR UPDATE
            """
        ).first.map(Self.read)
    }

    /// - Throws: `PostgresError`.
    func countWrongCode(_ id: UUID, _ session: PostgresSession) throws {
        try session.execute("UPDATE mailed_codes SET wrong_codes = least(wrong_codes + 1, \(Int16(MailedCode.tries))) WHERE id = \(id)")
    }

    /// - Throws: `PostgresError`.
    func setCode(_ id: UUID, _ sealedCode: [UInt8], _ session: PostgresSession) throws {
        try session.execute("UPDATE mailed_codes SET sealed_code = \(sealedCode) WHERE id = \(id)")
    }

    /// Moves a recovery one step on, and gives its user the time for the next.
    ///
    /// - Returns: whether it stood where it was thought to.
    /// - Throws: `PostgresError`.
    func move(
        _ id: UUID, from state: MailedCodeState, to next: MailedCodeState, until end: Timestamp, _ session: PostgresSession
    ) throws -> Bool {
        try session.execute(
            """
            UPDATE mailed_codes SET state = \(next.rawValue), expires_at = greatest(expires_at, \(end.stored))
            WHERE id = \(id) AND state = \(state.rawValue)
            """) == 1
    }

    /// Ends a registration or recovery; its password hash leaves the row.
    ///
    /// - Returns: whether it stood where it was thought to.
    /// - Throws: `PostgresError`.
    func finish(_ id: UUID, from state: MailedCodeState, user: UUID, _ session: PostgresSession) throws -> Bool {
        try session.execute(
            """
            UPDATE mailed_codes SET state = 'finished', user_id = \(user), password_phc = NULL WHERE id = \(id) AND state = \(state.rawValue)
            """) == 1
    }

    /// Ends what else was begun for an address: whoever proved it replaces what others began. One that is being answered just now waits for
    /// nobody, and finds the address taken or the credentials changed.
    ///
    /// - Throws: `PostgresError`.
    func deleteOthers(than id: UUID, emailKey: String, _ session: PostgresSession) throws {
        try session.execute(
            """
            DELETE FROM mailed_codes WHERE id IN (
                SELECT id FROM mailed_codes WHERE email_key = \(emailKey) AND id <> \(id) FOR UPDATE SKIP LOCKED)
            """)
    }

    private static func read(_ row: PostgresRow) throws -> MailedCodeRow {
        let (id, kind, state, email, emailKey, user, generation, phc, name, locale, sealedCode, wrongCodes, expiresAt) = try row.decode(columns)
        guard let kind = MailedCodeKind(rawValue: kind), let state = MailedCodeState(rawValue: state) else {
            throw UnreadableRow(table: "mailed_codes")
        }
        return MailedCodeRow(
            id: id, kind: kind, state: state, email: email, emailKey: emailKey, user: user, generation: generation, passwordPHC: phc,
            name: name, locale: locale, sealedCode: sealedCode, wrongCodes: wrongCodes, expiresAt: Timestamp(expiresAt))
    }
}
