package import Postgres

/// What nobody who works on an item does.
extension WorkQueue {
    /// What a look found and changed.
    package struct Swept: Sendable, Hashable {
        /// Whose lease ended without an outcome, by where they are now.
        package let lost: [WorkState: [Int64]]
        /// That waited until they were no longer worth doing.
        package let expired: [Int64]

        package var lostCount: Int { lost.values.reduce(0) { $0 + $1.count } }
    }

    /// Ends leases without an outcome, and work that has waited too long.
    ///
    /// - Throws: `PostgresError`.
    package func sweep(_ session: PostgresSession, atMost count: Int) throws -> Swept {
        let results = try session.pipeline([lostQuery(count), expiredQuery(count)])
        var lost: [WorkState: [Int64]] = [:]
        for row in results[0] {
            let (id, name) = try row.decode(Int64.self, String.self)
            guard let state = WorkState(rawValue: name) else { continue }
            lost[state, default: []].append(id)
        }
        return Swept(lost: lost, expired: try results[1].map { try $0.decode(Int64.self) })
    }

    /// A process that was killed may have come to the end of its call: its work is unknown, unless it can simply be repeated.
    private func lostQuery(_ count: Int) -> PostgresQuery {
        let longest = WorkPolicy.longestLease / .seconds(1)
        return """
            UPDATE work_items SET leased_until = NULL, due_at = clock_timestamp(),
                state = CASE WHEN NOT \(policy.isRepeatable) THEN 'unknown' WHEN attempts < \(Int32(policy.maximumAttempts)) THEN 'waiting'
                    ELSE 'dead' END,
                error_class = CASE WHEN \(policy.isRepeatable) THEN 'transient' ELSE 'unknown' END,
                reason = 'its lease ended without an outcome', first_failed_at = coalesce(first_failed_at, clock_timestamp()),
                last_failed_at = clock_timestamp()
            WHERE id IN (
                SELECT id FROM work_items
                WHERE queue = \(name) AND state = 'working'
                    AND (leased_until <= clock_timestamp() OR leased_until > clock_timestamp() + make_interval(secs => \(longest)))
                ORDER BY leased_until LIMIT \(Int64(count)) FOR UPDATE SKIP LOCKED)
            RETURNING id, state
            """
    }

    private func expiredQuery(_ count: Int) -> PostgresQuery {
        """
        UPDATE work_items SET state = 'expired', settled_at = clock_timestamp()
        WHERE id IN (
            SELECT id FROM work_items WHERE queue = \(name) AND state = 'waiting' AND expires_at <= clock_timestamp()
            ORDER BY expires_at LIMIT \(Int64(count)) FOR UPDATE SKIP LOCKED)
        RETURNING id
        """
    }

    /// Deletes work that is over for so long, and with it what the service has of it.
    ///
    /// - Returns: How many.
    /// - Throws: `PostgresError`.
    package func expire(_ session: PostgresSession, olderThan age: Duration, atMost count: Int32) throws -> Int {
        let result = try session.query("SELECT expire_work_items(\(name), make_interval(secs => \(age / .seconds(1))), \(count))")
        return Int(try result[0].decode(Int32.self))
    }

    /// What is not over, by state, and how long the oldest that is due has been.
    package struct Counts: Sendable, Hashable {
        package var byState: [WorkState: Int] = [:]
        /// Seconds.
        package var oldestDue = 0.0

        package init() {}
    }

    /// - Throws: `PostgresError`.
    package func counts(_ session: PostgresSession) throws -> Counts {
        var counts = Counts()
        let result = try session.query(
            """
            SELECT state, count(*), coalesce(greatest(0, extract(epoch FROM clock_timestamp() - min(due_at))), 0)::float8
            FROM work_items WHERE queue = \(name) AND state IN ('waiting', 'working', 'unknown', 'dead') GROUP BY state
            """)
        for row in result {
            let (name, count, age) = try row.decode(String.self, Int64.self, Double.self)
            guard let state = WorkState(rawValue: name) else { continue }
            counts.byState[state] = Int(count)
            if state == .waiting { counts.oldestDue = age }
        }
        return counts
    }
}
