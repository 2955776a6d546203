internal import Concurrency
package import Contracts
internal import FoundationEssentials
package import Observability
package import Postgres

/// One queue of `work_items`: pieces of work that are claimed before they are done, by several processes side by side.
///
/// What the work is stands in a table of the service's own, with the item's number; it writes both in one transaction.
package struct WorkQueue: Sendable {
    package let name: String
    package let policy: WorkPolicy

    package init(name: String, policy: WorkPolicy) {
        self.name = name
        self.policy = policy
    }

    /// Adds work that is due at once.
    ///
    /// - Parameters:
    ///   - kind: What operators see of it.
    ///   - traceparent: Of what asks for it: its call is part of the same trace.
    ///   - expiresAt: No attempt begins then or later.
    /// - Returns: The item's number.
    /// - Throws: `PostgresError`.
    package func add(
        _ session: PostgresSession, kind: String, event: EventID?, traceparent: String?, expiresAt: Timestamp
    ) throws -> Int64 {
        let expiresAt = PostgresTimestamp(microsecondsSinceUnixEpoch: expiresAt.microsecondsSinceUnixEpoch)
        return try session.query(
            """
            INSERT INTO work_items (queue, kind, event_id, traceparent, expires_at)
            VALUES (\(name), \(kind), \(event?.uuid), \(traceparent), \(expiresAt))
            RETURNING id
            """)[0].decode(Int64.self)
    }

    /// Claims what has been due longest, and what nobody else is claiming now. The transaction must be committed before the work begins.
    ///
    /// - Throws: `PostgresError`.
    package func claim(_ session: PostgresSession, atMost count: Int = 1) throws -> [WorkClaim] {
        try session.query(
            """
            WITH due AS MATERIALIZED (
                SELECT id FROM work_items
                WHERE queue = \(name) AND state = 'waiting' AND due_at <= clock_timestamp() AND expires_at > clock_timestamp()
                ORDER BY due_at, id LIMIT \(Int64(count)) FOR UPDATE SKIP LOCKED
            )
            UPDATE work_items w SET state = 'working', attempts = attempts + 1, epoch = epoch + 1,
                leased_until = clock_timestamp() + make_interval(secs => \(policy.lease / .seconds(1)))
            FROM due WHERE w.id = due.id
            RETURNING w.id, w.epoch, w.attempts, w.traceparent
            """
        ).map { row in
            let (id, epoch, attempt, traceparent) = try row.decode(Int64.self, Int64.self, Int32.self, String?.self)
            return WorkClaim(id: id, epoch: epoch, attempt: Int(attempt), trace: traceparent.flatMap(TraceContext.init(traceparent:)))
        }
    }

    /// Writes down what became of claimed work.
    ///
    /// An outcome that comes after its lease still counts while nobody has claimed the work again: it knows more than that the lease ended.
    /// - Returns: Where the work is now; nil when the claim is no longer the last, or an operator has ended the work.
    /// - Throws: `PostgresError`.
    package func settle(_ session: PostgresSession, _ claim: WorkClaim, _ outcome: WorkOutcome) throws -> WorkState? {
        let step = policy.step(after: outcome, attempt: claim.attempt)
        let pause = step.state == .waiting ? policy.backoff.pause(after: claim.attempt) / .seconds(1) : 0
        let count = try session.execute(
            """
            UPDATE work_items SET state = \(step.state.rawValue), leased_until = NULL,
                due_at = clock_timestamp() + make_interval(secs => \(pause)),
                settled_at = CASE WHEN \(step.state == .done) THEN clock_timestamp() END,
                error_class = coalesce(\(step.failure?.kind.rawValue), error_class), reason = coalesce(\(step.failure?.reason), reason),
                first_failed_at = CASE WHEN \(step.failure != nil) THEN coalesce(first_failed_at, clock_timestamp()) ELSE first_failed_at END,
                last_failed_at = CASE WHEN \(step.failure != nil) THEN clock_timestamp() ELSE last_failed_at END
            WHERE id = \(claim.id) AND queue = \(name) AND epoch = \(claim.epoch) AND state IN ('working', 'unknown')
            """)
        return count == 1 ? step.state : nil
    }
}

/// Work in the hands of one process.
package struct WorkClaim: Sendable, Hashable {
    package let id: Int64
    package let epoch: Int64
    /// From 1.
    package let attempt: Int
    /// Of what asked for it, if that came with one: a span of the call is its child.
    package let trace: TraceContext?
}
