internal import Contracts
internal import Postgres
import StrictJSON

/// The record of replays: who replayed what and how, and what came of it. Counts are kept with each dead letter, so a killed run's are true.
struct ReplayRuns: Sendable {
    let consumer: String

    func begin(_ options: DeadLetterReplay.Options, _ plan: ReplayPlan, _ session: PostgresSession) throws(PostgresError) -> Int64 {
        let result = try session.query(
            """
            INSERT INTO replay_runs (consumer, requested_by, note, filter, plan, selected)
            VALUES (\(consumer), \(options.requestedBy), \(options.note), \(PostgresJSON(options.recordJSON)), \(PostgresJSON(plan.countsJSON)),
                \(Int32(plan.items.count)))
            RETURNING id
            """)
        guard let row = result.first else { throw PostgresError(.decoding, "no replay run was made") }
        return try row.decode(Int64.self)
    }

    /// An ignored one is settled as replayed, so it counts as that; the columns have no other place for it.
    func count(_ result: ReplayResult, run: Int64, _ session: PostgresSession) throws(PostgresError) {
        let column =
            switch result {
            case .replayed, .ignored: "replayed"
            case .alreadyApplied: "already_applied"
            case .failed: "failed"
            case .taken, .tooOld: "skipped"
            }
        try session.execute("UPDATE replay_runs SET \(unsafeSQL: column) = \(unsafeSQL: column) + 1 WHERE id = \(run)")
    }

    func end(_ run: Int64, _ ending: ReplaySummary.Ending, _ session: PostgresSession) throws(PostgresError) {
        try session.execute(
            "UPDATE replay_runs SET finished_at = now(), ending = \(ending.rawValue) WHERE id = \(run) AND finished_at IS NULL")
    }
}

extension DeadLetterReplay.Options {
    /// What was asked for, as `replay_runs.filter` keeps it: which ones, and how.
    fileprivate var recordJSON: String {
        var writer = JSONWriter()
        writer.object { writer in
            filter.encodeMembers(into: &writer)
            writer.member("force", isForced)
            if isVouchedFor { writer.member("genuine", true) }
            if let canary { writer.member("canary", Int64(canary)) }
            if let rate {
                writer.name("rate")
                writer.value(.number("\(rate)"))
            }
        }
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}
