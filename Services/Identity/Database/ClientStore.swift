import Contracts
import FoundationEssentials
import Outbox
import Postgres

/// A client's secret as the database has it.
struct StoredClientSecret: Sendable {
    let hash: [UInt8]
    let createdAt: Timestamp
    /// nil for one that is good until further notice.
    let expiresAt: Timestamp?

    func isGood(at now: Timestamp) -> Bool { expiresAt.map { now < $0 } ?? true }
}

/// The SQL of clients and their secrets.
struct ClientStore {
    private static let columns = PostgresColumns(
        ("id", String.self), ("name", String.self), ("is_confidential", Bool.self), ("is_first_party", Bool.self),
        ("redirect_uris", [String].self), ("post_logout_redirect_uris", [String].self), ("origins", [String].self), ("grants", [String].self),
        ("scopes", [String].self), ("audience", String.self), ("introspects", String?.self), ("disabled_at", PostgresTimestamp?.self))

    /// The client of this id, disabled or not; nil too for what no client can be called, such as a text with a NUL.
    ///
    /// - Throws: `PostgresError`.
    func find(_ session: PostgresSession, _ id: String) throws -> OAuthClient? {
        guard ClientID.isPossible(id) else { return nil }
        return try session.query("SELECT \(unsafeSQL: Self.columns) FROM clients WHERE id = \(id)").first.map(Self.read)
    }

    /// The client and its secrets, in one round trip; nil too for what no client can be called.
    ///
    /// - Throws: `PostgresError`.
    func findWithSecrets(_ session: PostgresSession, _ id: String) throws -> (client: OAuthClient, secrets: [StoredClientSecret])? {
        guard ClientID.isPossible(id) else { return nil }
        let results = try session.pipeline([
            "SELECT \(unsafeSQL: Self.columns) FROM clients WHERE id = \(id)",
            "SELECT hash, created_at, expires_at FROM client_secrets WHERE client_id = \(id) ORDER BY created_at",
        ])
        guard let client = try results[0].first.map(Self.read) else { return nil }
        return (client, try results[1].map(Self.readSecret))
    }

    /// - Throws: `PostgresError`.
    func all(_ session: PostgresSession) throws -> [OAuthClient] {
        try session.query("SELECT \(unsafeSQL: Self.columns) FROM clients ORDER BY id").map(Self.read)
    }

    /// - Returns: false when there is a client of this id already.
    /// - Throws: `PostgresError`.
    func insert(_ session: PostgresSession, _ client: OAuthClient, at now: Timestamp) throws -> Bool {
        let row: PostgresArguments = [
            "id": client.id, "name": client.name, "is_confidential": client.isConfidential, "is_first_party": client.isFirstParty,
            "redirect_uris": client.redirectURIs, "post_logout_redirect_uris": client.postLogoutRedirectURIs, "origins": client.origins,
            "grants": client.grants.map(\.rawValue).sorted(), "scopes": client.scopes, "audience": client.audience,
            "introspects": client.introspects, "created_at": now.stored,
        ]
        return try session.execute("INSERT INTO clients (\(unsafeSQL: row.list)) VALUES (\(row)) ON CONFLICT (id) DO NOTHING") == 1
    }

    /// The client, kept as it is until the end of the transaction.
    ///
    /// - Throws: `PostgresError`.
    func lock(_ session: PostgresSession, _ id: String) throws -> OAuthClient? {
        try session.query("SELECT \(unsafeSQL: Self.columns) FROM clients WHERE id = \(id) FOR NO KEY UPDATE").first.map(Self.read)
    }

    /// - Throws: `PostgresError`.
    func setDisabled(_ session: PostgresSession, _ id: String, at time: Timestamp?) throws {
        try session.execute("UPDATE clients SET disabled_at = \(time?.stored) WHERE id = \(id)")
    }

    /// - Throws: `PostgresError`.
    func addSecret(_ session: PostgresSession, _ secret: OpaqueSecret, to id: String, at now: Timestamp) throws {
        try session.execute("INSERT INTO client_secrets (client_id, hash, created_at) VALUES (\(id), \(secret.hash), \(now.stored))")
    }

    /// Lets the latest secret go on until a time, and ends all others now.
    ///
    /// - Throws: `PostgresError`.
    func expireSecrets(_ session: PostgresSession, of id: String, latestAt end: Timestamp, at now: Timestamp) throws {
        _ = try session.pipeline([
            "DELETE FROM client_secrets WHERE client_id = \(id) AND expires_at <= \(now.stored)",
            """
            DELETE FROM client_secrets WHERE client_id = \(id) AND hash NOT IN (
                SELECT hash FROM client_secrets WHERE client_id = \(id) ORDER BY created_at DESC, hash LIMIT 1)
            """,
            "UPDATE client_secrets SET expires_at = least(expires_at, \(end.stored)) WHERE client_id = \(id)",
        ])
    }

    private static func read(_ row: PostgresRow) throws -> OAuthClient {
        let (id, name, isConfidential, isFirstParty, redirects, logouts, origins, grants, scopes, audience, introspects, disabledAt) =
            try row.decode(columns)
        return OAuthClient(
            id: id, name: name, isConfidential: isConfidential, isFirstParty: isFirstParty, redirectURIs: redirects,
            postLogoutRedirectURIs: logouts, origins: origins, grants: Set(grants.compactMap(GrantType.init(rawValue:))), scopes: scopes,
            audience: audience, introspects: introspects, disabledAt: disabledAt.map(Timestamp.init))
    }

    private static func readSecret(_ row: PostgresRow) throws -> StoredClientSecret {
        let (hash, createdAt, expiresAt) = try row.decode([UInt8].self, PostgresTimestamp.self, PostgresTimestamp?.self)
        return StoredClientSecret(hash: hash, createdAt: Timestamp(createdAt), expiresAt: expiresAt.map(Timestamp.init))
    }
}
