import Postgres

/// Notes at every change of every table whether its transaction's commit will be durable, while the serving role's own setting says not.
package struct DurabilityRecord: Sendable {
    private let database: TestDatabase

    /// Of the sessions that are opened from now on.
    package init(of database: TestDatabase) async throws {
        self.database = database
        let connection = try await database.server.superuserConnection(database: database.name)
        try await connection.withSession { session in
            try session.unsafeScript(
                """
                ALTER ROLE "\(database.roles.serving)" IN DATABASE "\(database.name)" SET synchronous_commit = off;
                CREATE TABLE durability_seen (place text, setting text);
                CREATE FUNCTION note_durability() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
                SET search_path = pg_catalog, public, pg_temp AS $$
                BEGIN
                    INSERT INTO durability_seen VALUES (TG_TABLE_NAME, current_setting('synchronous_commit'));
                    RETURN NULL;
                END $$;
                DO $$
                DECLARE name text;
                BEGIN
                    FOR name IN SELECT c.oid::regclass::text FROM pg_class c
                        WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace = 'public'::regnamespace
                            AND c.relname <> 'durability_seen'
                    LOOP
                        EXECUTE format('CREATE TRIGGER note_durability AFTER INSERT OR UPDATE OR DELETE ON %s
                            EXECUTE FUNCTION note_durability()', name);
                    END LOOP;
                END $$;
                """)
        }
        await connection.close()
    }

    /// The tables that were changed, and those where the commit was not to be durable.
    package func seen() async throws -> (changed: Set<String>, atRisk: Set<String>) {
        let connection = try await database.server.superuserConnection(database: database.name)
        let rows = try await connection.withSession { session in
            try session.query("SELECT DISTINCT place, setting FROM durability_seen").map { row in try row.decode(String.self, String.self) }
        }
        await connection.close()
        return (Set(rows.map(\.0)), Set(rows.filter { $0.1 != "on" }.map(\.0)))
    }
}
