/// What would let a role put something of its own in the place of what the service's rules rely on.
extension DatabaseIsolation {
    /// What the session's own role may make in the database; of an owner this says nothing, who may make anything.
    func privilegeFindings(_ session: PostgresSession) throws(PostgresError) -> [IsolationFinding] {
        let role = try session.query("SELECT current_user::text")[0].decode(String.self)
        return try privilegeFindings(session, of: [role]) + functionFindings(session)
    }

    /// What the service's roles may still make after ``stamp(_:)``: their owner can't take it away.
    package func remainingFindings(_ session: PostgresSession) throws(PostgresError) -> [IsolationFinding] {
        try privilegeFindings(session, of: [roles.serving, roles.relay])
    }

    private func privilegeFindings(_ session: PostgresSession, of roles: [String]) throws(PostgresError) -> [IsolationFinding] {
        try databaseFindings(session, of: roles) + schemaFindings(session, of: roles)
    }

    /// A temporary object comes before all others of its name where a function doesn't say otherwise, and so may one in a schema of one's own.
    private func databaseFindings(_ session: PostgresSession, of roles: [String]) throws(PostgresError) -> [IsolationFinding] {
        try session.query(
            """
            SELECT r.rolname::text, a.privilege_type, quote_ident(d.datname),
                string_agg(DISTINCT coalesce(quote_ident(g.rolname), 'PUBLIC'), ', ')
            FROM pg_database d CROSS JOIN aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
            JOIN pg_roles r ON r.rolname = ANY(\(roles)) AND (a.grantee = 0 OR pg_has_role(r.oid, a.grantee, 'MEMBER'))
            LEFT JOIN pg_roles g ON g.oid = a.grantee
            WHERE d.datname = current_database() AND a.privilege_type IN ('TEMPORARY', 'CREATE')
            GROUP BY 1, 2, 3 ORDER BY 1, 2
            """
        ).map { row throws(PostgresError) in
            let (role, privilege, database, grantees) = try row.decode(String.self, String.self, String.self, String.self)
            let remedy = "run migrate, or as an administrator REVOKE \(privilege) ON DATABASE \(database) FROM \(grantees)"
            return privilege == "CREATE"
                ? IsolationFinding(.mayCreateSchemas, "role \(role) may create schemas, by \(grantees); \(remedy)")
                : IsolationFinding(.mayCreateTemporaryTables, "role \(role) may create temporary tables, by \(grantees); \(remedy)")
        }
    }

    private func schemaFindings(_ session: PostgresSession, of roles: [String]) throws(PostgresError) -> [IsolationFinding] {
        try session.query(
            """
            SELECT r.rolname::text, quote_ident(n.nspname) FROM pg_namespace n JOIN pg_roles r ON r.rolname = ANY(\(roles))
            WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' AND has_schema_privilege(r.oid, n.oid, 'CREATE')
            ORDER BY 1, 2
            """
        ).map { row throws(PostgresError) in
            let (role, schema) = try row.decode(String.self, String.self)
            return IsolationFinding(
                .mayCreateInSchema,
                "role \(role) may create objects in schema \(schema); run migrate, or as an administrator first "
                    + "ALTER SCHEMA \(schema) OWNER TO \(self.roles.owner)")
        }
    }

    /// What every function of a service says of where it looks, as the catalogue has it.
    static let functionSetting = "search_path=pg_catalog, public, pg_temp"

    /// Functions that look where their caller says: those of the service, and others' that its tables or another's rights set off.
    private func functionFindings(_ session: PostgresSession) throws(PostgresError) -> [IsolationFinding] {
        let (function, count) = try session.query(
            """
            SELECT min(p.oid::regprocedure::text), count(*) FROM pg_proc p
            JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
            WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' AND l.lanname NOT IN ('internal', 'c')
                AND \(Self.functionSetting) <> ALL (coalesce(p.proconfig, '{}'))
                AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
                AND (p.prosecdef OR pg_get_userbyid(p.proowner) = \(roles.owner) OR EXISTS (SELECT FROM pg_trigger t WHERE t.tgfoid = p.oid))
            """)[0].decode(String?.self, Int64.self)
        guard let function else { return [] }
        return [
            IsolationFinding(
                .functionWithoutSearchPath,
                "\(function) lacks SET search_path = pg_catalog, public, pg_temp, "
                    + "one of \(count); run migrate, or mend or drop what no migration made")
        ]
    }

    /// `migrate` can't close a database that isn't its role's.
    func ownerFindings(_ session: PostgresSession) throws(PostgresError) -> [IsolationFinding] {
        let (isOwner, role, database) = try session.query(
            """
            SELECT pg_has_role(current_user, datdba, 'USAGE'), current_user::text, quote_ident(datname)
            FROM pg_database WHERE datname = current_database()
            """)[0].decode(Bool.self, String.self, String.self)
        guard !isOwner else { return [] }
        return [
            IsolationFinding(
                .databaseNotOwned,
                "role \(role) does not own the database; run migrate as its owner, or as an administrator "
                    + "ALTER DATABASE \(database) OWNER TO \(roles.owner)")
        ]
    }

    /// What only an administrator can close and nothing of the service can be changed through: worth a check's word, no reason not to serve.
    /// - Throws: `PostgresError`.
    package func administratorFindings(_ session: PostgresSession) throws(PostgresError) -> [IsolationFinding] {
        let (role, databases, functions) = try session.query(
            """
            SELECT current_user::text, (
                    SELECT string_agg(quote_ident(datname), ', ' ORDER BY datname) FROM pg_database
                    WHERE datname IN ('postgres', 'template1') AND datname <> current_database() AND has_database_privilege(oid, 'CONNECT')
                ), (
                    SELECT string_agg(f::regprocedure::text, ', ' ORDER BY f::regprocedure::text)
                    FROM unnest(ARRAY['lo_creat(integer)', 'lo_create(oid)', 'lo_from_bytea(oid, bytea)']) f
                    WHERE has_function_privilege('pg_catalog.' || f, 'EXECUTE')
                )
            """)[0].decode(String.self, String?.self, String?.self)
        var findings: [IsolationFinding] = []
        if let databases {
            findings.append(
                IsolationFinding(
                    .mayConnectToMaintenanceDatabase,
                    "role \(role) may connect to \(databases); as an administrator REVOKE CONNECT ON DATABASE \(databases) FROM PUBLIC"))
        }
        if let functions {
            findings.append(
                IsolationFinding(
                    .mayUseLargeObjects,
                    "role \(role) may make large objects; as an administrator REVOKE EXECUTE ON FUNCTION \(functions) FROM PUBLIC"))
        }
        return findings
    }
}
