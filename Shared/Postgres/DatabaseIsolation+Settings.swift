/// Settings that come with a session from its server, database or role and on which promises of the fleet rest.
///
/// Those that a transaction can decide for itself are not here: it says its durability and its isolation (``TransactionOptions``).
extension DatabaseIsolation {
    /// What the role's or database's settings would break, whatever the server: triggers that guard the books don't fire, a name leads to
    /// another table, damaged pages are read as empty ones.
    func settingFindings(_ session: PostgresSession) throws(PostgresError) -> [IsolationFinding] {
        let (replicationRole, zeroesPages, ignoresChecksums, schemas) = try session.query(
            """
            SELECT current_setting('session_replication_role'), current_setting('zero_damaged_pages'),
                current_setting('ignore_checksum_failure'), array_to_string(current_schemas(false), ', ')
            """)[0].decode(String.self, String.self, String.self, String.self)
        var findings: [IsolationFinding] = []
        for (name, value, safe) in [
            ("session_replication_role", replicationRole, ["origin", "local"]), ("zero_damaged_pages", zeroesPages, ["off"]),
            ("ignore_checksum_failure", ignoresChecksums, ["off"]),
        ] {
            if !safe.contains(value) { findings.append(IsolationFinding(.unsafeSetting, "\(name) is \(value); \(safe[0]) is expected")) }
        }
        if schemas != "public" {
            findings.append(IsolationFinding(.unsafeSetting, "search_path is \(schemas.isEmpty ? "empty" : schemas); public alone is expected"))
        }
        return findings
    }

    /// What makes a server lose at a power failure what it has acknowledged.
    /// - Throws: `PostgresError`.
    package static func serverFindings(_ session: PostgresSession) throws(PostgresError) -> [IsolationFinding] {
        try session.query(
            """
            SELECT name FROM unnest(ARRAY['fsync', 'full_page_writes']) AS name WHERE current_setting(name) <> 'on' ORDER BY name
            """
        ).map { row throws(PostgresError) in
            IsolationFinding(.unsafeSetting, "\(try row.decode(String.self)) is off: what the server has acknowledged may be lost")
        }
    }
}
