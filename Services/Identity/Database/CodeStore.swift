import Contracts
import FoundationEssentials
import Outbox
import Postgres

/// The SQL of authorization codes.
struct CodeStore {
    private static let columns = PostgresColumns(
        ("client_id", String.self), ("redirect_uri", String?.self), ("code_challenge", String.self), ("expires_at", PostgresTimestamp.self),
        ("used_at", PostgresTimestamp?.self), ("family_id", UUID?.self))

    /// - Throws: `PostgresError`.
    func insert(_ session: PostgresSession, _ code: AuthorizationCode, hash: [UInt8], at now: Timestamp) throws {
        var row: PostgresArguments = [
            "hash": hash, "redirect_uri": code.redirectURI, "code_challenge": code.codeChallenge, "created_at": now.stored,
            "expires_at": code.expiresAt.stored,
        ]
        row += GrantRow.arguments(code.grant)
        try session.execute("INSERT INTO authorization_codes (\(unsafeSQL: row.list)) VALUES (\(row))")
    }

    /// Asks the gate and locks the code, in one round trip.
    ///
    /// - Returns: nil without a code of this hash; `roles` throws what the gate says.
    /// - Throws: `PostgresError`.
    func lock(
        _ session: PostgresSession, _ hash: [UInt8], client: String, gate: TokenGate
    ) throws -> (code: AuthorizationCode, roles: () throws -> Set<String>)? {
        let guarded = TokenGate.queries(
            user: .of("SELECT user_id FROM authorization_codes WHERE hash = \(hash)"),
            session: .of("SELECT session_id FROM authorization_codes WHERE hash = \(hash)"), client: client)
        let results = try session.pipeline(
            guarded + [
                """
                SELECT \(unsafeSQL: Self.columns), \(unsafeSQL: GrantRow.columns) FROM authorization_codes
                WHERE hash = \(hash) FOR NO KEY UPDATE
                """
            ])
        guard let row = results[TokenGate.queryCount].first else { return nil }
        let (client, redirectURI, challenge, expiresAt, usedAt, family) = try row.decode(Self.columns)
        let code = AuthorizationCode(
            grant: try GrantRow.read(row.after(Self.columns), client: client), redirectURI: redirectURI, codeChallenge: challenge,
            expiresAt: Timestamp(expiresAt), usedAt: usedAt.map(Timestamp.init), family: family)
        return (code, { try gate.check(results[..<TokenGate.queryCount], generation: code.grant.authentication.generation) })
    }

    /// - Throws: `PostgresError`.
    func use(_ session: PostgresSession, _ hash: [UInt8], for family: UUID?, at now: Timestamp) throws {
        try session.execute("UPDATE authorization_codes SET used_at = \(now.stored), family_id = \(family) WHERE hash = \(hash)")
    }
}

/// The columns that codes and refresh families have in common: what the person granted.
enum GrantRow {
    static let columns = PostgresColumns(
        ("user_id", UUID.self), ("session_id", UUID.self), ("scopes", [String].self), ("nonce", String?.self),
        ("credential_generation", Int64.self), ("amr", [String].self), ("authenticated_at", PostgresTimestamp.self),
        ("second_factor_at", PostgresTimestamp?.self))

    static func arguments(_ grant: Grant) -> PostgresArguments {
        let authentication = grant.authentication
        return [
            "client_id": grant.clientID, "user_id": authentication.user, "session_id": grant.session, "scopes": grant.scopes,
            "nonce": grant.nonce, "credential_generation": authentication.generation, "amr": authentication.amr,
            "authenticated_at": authentication.authenticatedAt.stored, "second_factor_at": authentication.secondFactorAt?.stored,
        ]
    }

    static func read(_ row: PostgresRow, client: String) throws -> Grant {
        let (user, session, scopes, nonce, generation, amr, authenticatedAt, secondFactorAt) = try row.decode(columns)
        return Grant(
            clientID: client, session: session, scopes: scopes, nonce: nonce,
            authentication: Authentication(
                user: user, generation: generation, amr: amr, authenticatedAt: Timestamp(authenticatedAt),
                secondFactorAt: secondFactorAt.map(Timestamp.init)))
    }
}
