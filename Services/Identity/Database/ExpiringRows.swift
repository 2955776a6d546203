package import Contracts
import Outbox
package import Postgres

/// A table whose rows lose their worth with time: how long they are kept, and the statement that deletes those that are too old, a bounded
/// number at once, found by an index (ID-30).
///
/// Who deletes locks none that another has locked, so any number of replicas purge side by side and block nobody.
package struct ExpiringRows: Sendable {
    /// What they are, for logs and metrics; the table's name.
    package let table: String
    /// The column by which rows grow old.
    private let column: String
    /// How long after that they are kept, in seconds.
    package let keptSeconds: Int64
    /// What must hold besides; SQL text, true of `r`.
    private let condition: String

    private init(_ table: String, by column: String, keptSeconds: Int64, where condition: String = "true") {
        self.table = table
        self.column = column
        self.keptSeconds = keptSeconds
        self.condition = condition
    }

    private static let day: Int64 = 86_400

    /// A code that was used and comes again revokes what it was used for, so it is known for a while.
    package static let authorizationCodes = ExpiringRows("authorization_codes", by: "expires_at", keptSeconds: 3_600)
    /// Refresh families, whose tokens are told apart from such as never were for a day after they have ended.
    package static let expiredFamilies = ExpiringRows("refresh_families", by: "expires_at", keptSeconds: day)
    package static let revokedFamilies = ExpiringRows("refresh_families", by: "revoked_at", keptSeconds: day, where: "r.revoked_at IS NOT NULL")
    /// A key is published until it is retired; nothing that it signed counts after that.
    package static let signingKeys = ExpiringRows("signing_keys", by: "retire_at", keptSeconds: 0)
    /// A registration or recovery can't go on once it has expired; for an hour more it answers questions of support.
    package static let mailedCodes = ExpiringRows("mailed_codes", by: "expires_at", keptSeconds: 3_600)
    /// No window of a budget is longer.
    package static let mailBudgets = ExpiringRows("mail_budgets", by: "last_sent_at", keptSeconds: MailBudget.longestSeconds)
    /// A tab that is found again the next morning, or after a week, can still say where it wanted to go (ID-03).
    package static let signInFlows = ExpiringRows("sign_in_flows", by: "expires_at", keptSeconds: 7 * day)
    /// Ended sessions, once no token of theirs is alive and nothing names them. Every session ends at `expires_at` at the latest.
    package static let endedSessions = ExpiringRows(
        "sessions", by: "ended_at", keptSeconds: 7 * day, where: "r.ended_at IS NOT NULL AND \(unnamedSession)")
    package static let expiredSessions = ExpiringRows(
        "sessions", by: "expires_at", keptSeconds: 7 * day, where: "r.ended_at IS NULL AND \(unnamedSession)")
    /// Devices that nobody came back with: as long as a browser keeps the cookie by which they would be known.
    package static let devices = ExpiringRows(
        "devices", by: "last_used_at", keptSeconds: 400 * day, where: "NOT EXISTS (SELECT FROM sessions s WHERE s.device_id = r.id)")

    /// In the order in which rows name one another. Attempts have a rule of their own (``AttemptStore``).
    package static let all = [
        authorizationCodes, expiredFamilies, revokedFamilies, signingKeys, mailedCodes, mailBudgets, signInFlows, endedSessions, expiredSessions,
        devices,
    ]

    private static let unnamedSession = """
        NOT EXISTS (SELECT FROM refresh_families f WHERE f.session_id = r.id)
        AND NOT EXISTS (SELECT FROM authorization_codes c WHERE c.session_id = r.id)
        AND NOT EXISTS (SELECT FROM sign_in_flows w WHERE w.session_id = r.id)
        """

    /// - Returns: how many were deleted.
    /// - Throws: `PostgresError`.
    package func purge(_ session: PostgresSession, at now: Timestamp, atMost limit: Int32) throws -> Int {
        try session.execute(statement(at: now, atMost: limit))
    }

    func statement(at now: Timestamp, atMost limit: Int32) -> PostgresQuery {
        """
        DELETE FROM \(unsafeSQL: table) WHERE ctid = ANY (ARRAY(
            SELECT r.ctid FROM \(unsafeSQL: table) r WHERE r.\(unsafeSQL: column) < \((now - .seconds(keptSeconds)).stored)
                AND \(unsafeSQL: condition)
            ORDER BY r.\(unsafeSQL: column) LIMIT \(limit) FOR UPDATE OF r SKIP LOCKED))
        """
    }
}

/// How much lies in a table, and how far its purge is behind.
package struct TableSize: Sendable, Hashable {
    package let table: String
    /// As the server's statistics have it.
    package let rows: Int64
    package let oldest: Timestamp?
}

extension ExpiringRows {
    /// - Throws: `PostgresError`.
    package func size(_ session: PostgresSession) throws -> TableSize {
        let row = try session.query(
            """
            SELECT greatest(0, (SELECT reltuples FROM pg_class WHERE oid = \(table)::regclass))::bigint,
                (SELECT min(\(unsafeSQL: column)) FROM \(unsafeSQL: table))
            """)[0]
        let (rows, oldest) = try row.decode(Int64.self, PostgresTimestamp?.self)
        return TableSize(table: table, rows: rows, oldest: oldest.map(Timestamp.init))
    }
}
