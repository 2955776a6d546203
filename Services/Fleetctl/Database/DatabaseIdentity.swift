package import Postgres

/// Which database a session has reached, whatever it is called from outside.
package struct DatabaseIdentity: Sendable, Hashable {
    /// Made by initdb, the same for a cluster and its replicas only.
    package let system: String
    package let database: String

    /// Nil when the role may not see it, which some hosted servers don't allow.
    /// - Throws: `PostgresError`.
    package init?(_ session: PostgresSession) throws(PostgresError) {
        let mayAsk = try session.query("SELECT has_function_privilege('pg_control_system()', 'EXECUTE')")[0].decode(Bool.self)
        guard mayAsk else { return nil }
        (system, database) = try session.query("SELECT system_identifier::text, current_database()::text FROM pg_control_system()")[0]
            .decode(String.self, String.self)
    }
}
