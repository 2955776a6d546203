extension DatabaseIsolation {
    /// What is wrong with the database and role that a session has reached.
    ///
    /// A missing stamp is a finding only for `serve`: the first `migrate` writes it.
    /// - Throws: `PostgresError`.
    package func findings(_ session: PostgresSession, phase: Phase) throws(PostgresError) -> [IsolationFinding] {
        var findings = try stampFindings(session, phase: phase)
        findings += try roleFindings(session)
        findings += try ownRoleFindings(session, phase: phase)
        switch phase {
        case .serve, .relay:
            let owned = try ownershipFindings(session)
            findings += owned.isEmpty ? try privilegeFindings(session) : owned
        case .migrate: findings += try ownerFindings(session)
        }
        findings += try settingFindings(session)
        findings += try reachFindings(session)
        return findings
    }

    /// The service that a database is stamped for, nil when it has no stamp.
    package static func stamp(of session: PostgresSession) throws(PostgresError) -> String? {
        let exists = try session.query("SELECT to_regclass('service_identity') IS NOT NULL")[0].decode(Bool.self)
        guard exists else { return nil }
        return try session.query("SELECT service FROM service_identity").first?.decode(String.self)
    }

    private func stampFindings(_ session: PostgresSession, phase: Phase) throws(PostgresError) -> [IsolationFinding] {
        guard let stamp = try Self.stamp(of: session) else {
            switch phase {
            case .migrate: return []
            case .serve, .relay: return [IsolationFinding(.stampMissing, "the database has no service_identity; run migrate")]
            }
        }
        guard stamp != service else { return [] }
        return [IsolationFinding(.stampForeign, "the database belongs to \(stamp), not to \(service)", other: stamp)]
    }

    /// Membership counts as well: a role can become what it is a member of.
    private func roleFindings(_ session: PostgresSession) throws(PostgresError) -> [IsolationFinding] {
        let (role, isSuperuser, mayCreateRoles, mayCreateDatabases) = try session.query(
            """
            SELECT current_user::text, coalesce(bool_or(rolsuper), false), coalesce(bool_or(rolcreaterole), false),
                   coalesce(bool_or(rolcreatedb), false)
            FROM pg_roles WHERE pg_has_role(current_user, oid, 'MEMBER')
            """)[0].decode(String.self, Bool.self, Bool.self, Bool.self)
        var findings: [IsolationFinding] = []
        if isSuperuser { findings.append(IsolationFinding(.superuser, "role \(role) is superuser")) }
        if mayCreateRoles { findings.append(IsolationFinding(.mayCreateRoles, "role \(role) may create roles")) }
        if mayCreateDatabases { findings.append(IsolationFinding(.mayCreateDatabases, "role \(role) may create databases")) }
        return findings
    }

    private func ownershipFindings(_ session: PostgresSession) throws(PostgresError) -> [IsolationFinding] {
        let (role, table, count) = try session.query(
            """
            SELECT current_user::text, min(c.oid::regclass::text), count(*)
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind IN ('r', 'p', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
              AND pg_has_role(current_user, c.relowner, 'MEMBER')
            """)[0].decode(String.self, String?.self, Int64.self)
        guard let table else { return [] }
        return [IsolationFinding(.ownsTable, "role \(role) owns \(count) tables, \(table) among them")]
    }

    /// Comments on databases lie in a catalogue that all databases of a server share.
    private func reachFindings(_ session: PostgresSession) throws(PostgresError) -> [IsolationFinding] {
        let result = try session.query(
            """
            SELECT current_user::text, d.datname::text, s.description
            FROM pg_database d JOIN pg_shdescription s ON s.objoid = d.oid AND s.classoid = 'pg_database'::regclass
            WHERE s.description LIKE 'florin:%' AND s.description <> \(comment)
              AND has_database_privilege(current_user, d.oid, 'CONNECT')
            ORDER BY d.datname
            """)
        return try result.map { row throws(PostgresError) in
            let (role, database, comment) = try row.decode(String.self, String.self, String.self)
            let other = String(comment.dropFirst(Self.commentPrefix.count))
            return IsolationFinding(.mayConnectElsewhere, "role \(role) may connect to database \(database) of \(other)", other: other)
        }
    }

    static let commentPrefix = "florin:"

    /// What `COMMENT ON DATABASE` says of this service's database.
    package var comment: String { Self.commentPrefix + service }

    private static let stampLockTimeout: Duration = .seconds(30)

    /// Marks the database as this service's and closes it to everybody but its three roles; for `migrate`, before the migrations.
    ///
    /// Doing it again changes nothing. What PUBLIC may do by default, and what was granted since, is taken back: nothing but migrations makes
    /// anything in the database, be it for the length of a session. See ``remainingFindings(_:)``.
    /// - Throws: `IsolationViolation` when the database is another service's; `PostgresError`, `undefinedObject` among them when one of
    ///   the roles doesn't exist.
    package func stamp(_ session: PostgresSession) throws {
        let lock = MigrationLock(waitLimit: Migrator.defaultLockWaitLimit)
        try lock.withTransaction(session, options: TransactionOptions(lockTimeout: Self.stampLockTimeout)) { session in
            if let stamp = try Self.stamp(of: session), stamp != service {
                throw IsolationViolation(findings: [
                    IsolationFinding(.stampForeign, "the database belongs to \(stamp), not to \(service)", other: stamp)
                ])
            }
            try session.unsafeScript(
                """
                CREATE TABLE IF NOT EXISTS service_identity (
                    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
                    service text NOT NULL,
                    stamped_at timestamptz NOT NULL DEFAULT now()
                );
                GRANT SELECT ON service_identity TO PUBLIC;
                """)
            try session.execute("INSERT INTO service_identity (service) VALUES (\(service)) ON CONFLICT DO NOTHING")
            // Utility statements take no parameters; the server quotes the names.
            let (database, quotedComment) = try session.query("SELECT quote_ident(current_database()), quote_literal(\(comment))")[0]
                .decode(String.self, String.self)
            let grantees = roles.all.map(Self.quotedIdentifier).joined(separator: ", ")
            let others = ([roles.serving, roles.relay].map(Self.quotedIdentifier) + ["PUBLIC"]).joined(separator: ", ")
            try session.unsafeScript(
                """
                COMMENT ON DATABASE \(database) IS \(quotedComment);
                REVOKE CONNECT ON DATABASE \(database) FROM PUBLIC;
                GRANT CONNECT ON DATABASE \(database) TO \(grantees);
                REVOKE TEMPORARY, CREATE ON DATABASE \(database) FROM \(others);
                REVOKE CREATE ON SCHEMA public FROM \(others);
                ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
                """)
        }
    }

    private static func quotedIdentifier(_ name: String) -> String {
        "\"" + name.replacing("\"", with: "\"\"") + "\""
    }
}
