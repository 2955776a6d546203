import Contracts
import FoundationEssentials
import Outbox
import Postgres

/// Why a refresh family is revoked.
enum RefreshRevocation: String, Sendable {
    /// The client asked for it.
    case revoked
    /// The code that it came from was shown again.
    case codeReuse = "code_reuse"
    /// One of its used tokens was shown again.
    case theft
}

/// The SQL of refresh families: one row each, however often they are refreshed.
struct RefreshFamilyStore {
    private static let columns = PostgresColumns(
        ("id", UUID.self), ("client_id", String.self), ("number", Int64.self), ("secret_hash", [UInt8].self),
        ("previous_secret_hash", [UInt8]?.self), ("sealed_successor", [UInt8]?.self), ("rotated_at", PostgresTimestamp?.self),
        ("last_used_at", PostgresTimestamp.self), ("expires_at", PostgresTimestamp.self), ("revoked_at", PostgresTimestamp?.self))

    /// - Throws: `PostgresError`.
    func insert(_ session: PostgresSession, _ family: RefreshFamily, at now: Timestamp) throws {
        var row: PostgresArguments = [
            "id": family.id, "number": family.number, "secret_hash": family.secretHash, "created_at": now.stored,
            "last_used_at": family.lastUsedAt.stored, "expires_at": family.expiresAt.stored,
        ]
        row += GrantRow.arguments(family.grant)
        try session.execute("INSERT INTO refresh_families (\(unsafeSQL: row.list)) VALUES (\(row))")
    }

    /// - Throws: `PostgresError`.
    func find(_ session: PostgresSession, _ id: UUID) throws -> RefreshFamily? {
        try session.query(
            "SELECT \(unsafeSQL: Self.columns), \(unsafeSQL: GrantRow.columns) FROM refresh_families WHERE id = \(id)"
        ).first.map(Self.read)
    }

    /// Ask the gate and lock the family: the first statements of a transaction, whose results ``read(_:gate:)`` understands.
    func lock(_ id: UUID, client: String) -> [PostgresQuery] {
        let guarded = TokenGate.queries(
            user: .of("SELECT user_id FROM refresh_families WHERE id = \(id)"),
            session: .of("SELECT session_id FROM refresh_families WHERE id = \(id)"), client: client)
        return guarded + [
            "SELECT \(unsafeSQL: Self.columns), \(unsafeSQL: GrantRow.columns) FROM refresh_families WHERE id = \(id) FOR NO KEY UPDATE"
        ]
    }

    /// - Returns: nil without a family of this id; `roles` throws what the gate says.
    /// - Throws: `PostgresError`.
    func read(_ results: [PostgresResult], gate: TokenGate) throws -> (family: RefreshFamily, roles: () throws -> Set<String>)? {
        guard let family = try results[TokenGate.queryCount].first.map(Self.read) else { return nil }
        return (family, { try gate.check(results[..<TokenGate.queryCount], generation: family.grant.authentication.generation) })
    }

    /// The token becomes the one before, and its successor the one that is good.
    ///
    /// - Throws: what sealing throws.
    func rotation(from token: RefreshToken, to successor: RefreshToken, at now: Timestamp) throws -> PostgresQuery {
        """
        UPDATE refresh_families SET number = \(successor.number), secret_hash = \(successor.secret.hash),
            previous_secret_hash = \(token.secret.hash), sealed_successor = \(try token.seal(successor)), rotated_at = \(now.stored),
            last_used_at = greatest(last_used_at, \(now.stored))
        WHERE id = \(token.family) AND number = \(token.number)
        """
    }

    /// Revokes the family, and with that every token of it: one row.
    ///
    /// - Returns: whether it was alive.
    /// - Throws: `PostgresError`.
    @discardableResult
    func revoke(_ session: PostgresSession, _ id: UUID, _ reason: RefreshRevocation, at now: Timestamp) throws -> Bool {
        try session.execute(
            """
            UPDATE refresh_families SET revoked_at = \(now.stored), revoke_reason = \(reason.rawValue), sealed_successor = NULL
            WHERE id = \(id) AND revoked_at IS NULL
            """) == 1
    }

    private static func read(_ row: PostgresRow) throws -> RefreshFamily {
        let (id, client, number, hash, previous, sealed, rotatedAt, lastUsedAt, expiresAt, revokedAt) = try row.decode(columns)
        return RefreshFamily(
            id: id, grant: try GrantRow.read(row.after(columns), client: client), number: number, secretHash: hash,
            previousSecretHash: previous, sealedSuccessor: sealed, rotatedAt: rotatedAt.map(Timestamp.init), lastUsedAt: Timestamp(lastUsedAt),
            expiresAt: Timestamp(expiresAt), revokedAt: revokedAt.map(Timestamp.init))
    }
}
