/// A row of `schema_migrations`.
struct AppliedMigration: Sendable, Hashable {
    let namespace: String
    let version: Int
    let checksum: String
    let servesFrom: Int

    /// Readable by everybody who may connect, because `serve` looks at it.
    static func createTable(_ session: PostgresSession) throws(PostgresError) {
        try session.unsafeScript(
            """
            CREATE TABLE IF NOT EXISTS schema_migrations (
                namespace text NOT NULL,
                version integer NOT NULL,
                name text NOT NULL,
                checksum text NOT NULL,
                serves_from integer NOT NULL,
                applied_at timestamptz NOT NULL DEFAULT now(),
                PRIMARY KEY (namespace, version)
            );
            GRANT SELECT ON schema_migrations TO PUBLIC;
            """)
    }

    /// All rows; none when the table doesn't exist yet.
    static func all(_ session: PostgresSession) throws(PostgresError) -> [AppliedMigration] {
        let exists = try session.query("SELECT to_regclass('schema_migrations') IS NOT NULL")[0].decode(Bool.self)
        guard exists else { return [] }
        let result = try session.query(
            "SELECT namespace, version, checksum, serves_from FROM schema_migrations ORDER BY namespace, version")
        return try result.map { row throws(PostgresError) in
            let (namespace, version, checksum, servesFrom) = try row.decode(String.self, Int64.self, String.self, Int64.self)
            return AppliedMigration(namespace: namespace, version: Int(version), checksum: checksum, servesFrom: Int(servesFrom))
        }
    }

    static func record(_ migration: Migration, checksum: String, _ session: PostgresSession) throws(PostgresError) {
        try session.execute(
            """
            INSERT INTO schema_migrations (namespace, version, name, checksum, serves_from)
            VALUES (\(migration.namespace), \(Int32(migration.version)), \(migration.name), \(checksum), \(Int32(migration.servesFrom)))
            """)
    }
}
