import Postgres

/// How far the primary has written, and whether a standby has replayed that.
struct ReplicaStore {
    /// A place in the primary's log: of one cluster, on one timeline.
    struct Position: Hashable {
        let log: String
        let system: String
        let timeline: String
        let database: String
    }

    /// The end of what the primary has inserted: the commit of every transaction that has ended lies before it.
    let positionQuery: PostgresQuery = """
        SELECT pg_current_wal_insert_lsn()::text, system_identifier::text, left(pg_walfile_name(pg_current_wal_insert_lsn()), 8),
            current_database()::text
        FROM pg_control_system()
        """

    func position(_ row: PostgresRow) throws -> Position {
        let (log, system, timeline, database) = try row.decode(String.self, String.self, String.self, String.self)
        return Position(log: log, system: system, timeline: timeline, database: database)
    }

    /// Whether the server is a standby of that cluster that has replayed all up to the position, on the same timeline. One that has
    /// been promoted, has followed another timeline, or belongs to somebody else is none.
    func hasReplayedQuery(_ position: Position) -> PostgresQuery {
        """
        SELECT coalesce(pg_is_in_recovery() AND pg_last_wal_replay_lsn() >= \(position.log)::pg_lsn
            AND s.system_identifier::text = \(position.system) AND current_database() = \(position.database)
            AND lpad(upper(to_hex(r.min_recovery_end_timeline)), 8, '0') = \(position.timeline), false)
        FROM pg_control_system() s, pg_control_recovery() r
        """
    }
}
