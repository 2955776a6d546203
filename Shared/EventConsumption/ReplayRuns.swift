internal import Contracts
internal import Postgres

/// The record of replays: who replayed what, and what came of it. Counts are kept with each dead letter, so a killed run's are true.
struct ReplayRuns: Sendable {
    let consumer: String

    func begin(
        by person: String, note: String?, filter: DeadLetterFilter, plan: ReplayPlan, _ session: PostgresSession
    ) throws(PostgresError) -> Int64 {
        let result = try session.query(
            """
            INSERT INTO replay_runs (consumer, requested_by, note, filter, plan, selected)
            VALUES (\(consumer), \(person), \(note), \(PostgresJSON(filter.json)), \(PostgresJSON(plan.countsJSON)), \(Int32(plan.items.count)))
            RETURNING id
            """)
        guard let row = result.first else { throw PostgresError(.decoding, "no replay run was made") }
        return try row.decode(0)
    }

    func count(_ result: ReplayResult, run: Int64, _ session: PostgresSession) throws(PostgresError) {
        let column =
            switch result {
            case .replayed: "replayed"
            case .alreadyApplied: "already_applied"
            case .failed: "failed"
            case .taken, .tooOld, .ignored: "skipped"
            }
        try session.execute("UPDATE replay_runs SET \(unsafeSQL: column) = \(unsafeSQL: column) + 1 WHERE id = \(run)")
    }

    func end(_ run: Int64, _ ending: ReplaySummary.Ending, _ session: PostgresSession) throws(PostgresError) {
        try session.execute(
            "UPDATE replay_runs SET finished_at = now(), ending = \(ending.rawValue) WHERE id = \(run) AND finished_at IS NULL")
    }
}
