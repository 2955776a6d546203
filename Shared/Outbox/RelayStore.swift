package import Postgres

/// What a relay asks of the outbox and writes beside it; one round trip per look.
package struct RelayStore: Sendable {
    /// One look at the outbox.
    package struct Look: Sendable {
        /// The life of the server in which it was made.
        package let life: Int64
        /// What the look found behind the cursors. Looked for whenever it reads on: what became visible late may be of a key whose next
        /// event comes with this look.
        package let missed: [OutboxRow]
        /// What it found after them, ascending, and no more than was asked for.
        package let next: [OutboxRow]
        /// Whether ``next`` is all there is.
        package let isComplete: Bool
        /// Who wrote to the outbox just before; nil when not asked for.
        package let writing: RelayProgress.Writing?
        /// Partitions whose epoch is no longer the caller's, among those of the changes.
        package let lost: Set<Int>
    }

    private let owner: String

    package init(owner: String) {
        self.owner = owner
    }

    /// Writes what was settled, and reads on.
    ///
    /// The changes are fenced: of a partition whose epoch has changed nothing is written, nor of any in another life of the server than
    /// that of the progress. They are committed with the look, without waiting for the disk when they are only marks: a mark that is lost
    /// costs duplicates.
    /// - Parameters:
    ///   - limit: Of the rows after the cursors; 0 reads none.
    ///   - looksAtWriters: Whether the horizon may have moved.
    /// - Throws: `PostgresError`.
    package func look(
        _ session: PostgresSession, _ progress: RelayProgress, limit: Int, looksAtWriters: Bool, changes: RelayChanges
    ) throws -> Look {
        var queries: [PostgresQuery] = []
        func add(_ query: PostgresQuery) -> Int {
            queries.append(query)
            return queries.count - 1
        }
        let fence = changes.isEmpty ? nil : changes.append(to: &queries, owner: owner, life: progress.life)
        let life = add("SELECT \(unsafeSQL: Self.life)")
        var lastID: Int?
        var writers: Int?
        if looksAtWriters {
            // In this order: a transaction draws an id while it holds the table open for writing. The function reads under the page's lock;
            // a plain SELECT from the sequence may see a value that is yet to be drawn, by up to 32 (measured).
            lastID = add("SELECT \(unsafeSQL: Self.lastID)")
            writers = add(
                """
                SELECT virtualtransaction FROM pg_locks
                WHERE locktype = 'relation' AND relation = 'outbox_events'::regclass AND mode = 'RowExclusiveLock' AND granted
                    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                """)
        }
        let missed = progress.mayHaveGaps ? add(missedQuery(progress)) : nil
        let next = limit > 0 ? add(nextQuery(progress, limit: limit)) : nil
        let results = try session.pipeline(queries)
        let nextRows = try next.map { try rows(results[$0]) } ?? []
        return Look(
            life: try results[life][0].decode(Int64.self), missed: try missed.map { try rows(results[$0]) } ?? [], next: nextRows,
            isComplete: limit > 0 && nextRows.count < limit,
            writing: try writing(lastID, writers, results), lost: try fence.map { try changes.lost(results[$0]) } ?? [])
    }

    private func writing(
        _ lastID: Int?, _ writers: Int?, _ results: [PostgresResult]
    ) throws(PostgresError) -> RelayProgress.Writing? {
        guard let lastID, let writers else { return nil }
        var names: Set<String> = []
        for row in results[writers] { names.insert(try row.decode(String.self)) }
        return RelayProgress.Writing(lastID: try results[lastID][0].decode(Int64.self), writers: names)
    }

    private func rows(_ result: PostgresResult) throws(PostgresError) -> [OutboxRow] {
        try result.map { row throws(PostgresError) in try OutboxRow(row: row) }
    }

    /// Tells one life of the server from the next. A crash and a failover may take back what was not on the disk, or not on the standby's:
    /// ids that were drawn are drawn again. After either the server begins its statistics anew; an orderly restart, which takes nothing
    /// back, keeps them.
    static let life = "coalesce((SELECT (extract(epoch FROM stats_reset) * 1000000)::bigint FROM pg_stat_bgwriter), 0)"

    /// The highest id that was drawn, 0 before the first.
    static let lastID = "coalesce(pg_sequence_last_value('outbox_events_id_seq'::regclass), 0)"

    /// Whether a partition's mark lies beyond it, and so says nothing.
    static let isVoid = "(published_through > \(lastID))"

    private func nextQuery(_ progress: RelayProgress, limit: Int) -> PostgresQuery {
        let starts = progress.starts
        return """
            SELECT \(unsafeSQL: OutboxRow.columns) FROM outbox_events e
            WHERE e.id > \(starts.min() ?? .max) AND e.id > (\(starts))[\(unsafeSQL: OutboxPartition.place("e"))] ORDER BY e.id LIMIT \(Int64(limit))
            """
    }

    private func missedQuery(_ progress: RelayProgress) -> PostgresQuery {
        let (floors, cursors) = progress.gaps
        return """
            SELECT \(unsafeSQL: OutboxRow.columns) FROM outbox_events e
            WHERE e.id > \(floors.min() ?? .max) AND e.id <= \(cursors.max() ?? 0) AND e.id <> ALL(\(progress.taken))
                AND e.id > (\(floors))[\(unsafeSQL: OutboxPartition.place("e"))] AND e.id <= (\(cursors))[\(unsafeSQL: OutboxPartition.place("e"))]
            """
    }
}
