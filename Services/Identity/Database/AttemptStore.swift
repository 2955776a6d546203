import Contracts
import Outbox
import Postgres

/// What an attempt is counted by: a kind of secret, and in each bucket a SHA-256 of what it is of.
struct AttemptKeys: Sendable {
    let kind: AttemptKind
    let buckets: [(bucket: AttemptBucket, key: [UInt8])]
}

/// The SQL of the counters of failed attempts.
struct AttemptStore {
    /// Many share a network's row: nobody keeps it from the others for long.
    private static let options = TransactionOptions(
        statementTimeout: .seconds(5), lockTimeout: .seconds(2), idleTimeout: .seconds(5))

    /// What became of an attempt that was to be made.
    enum Beginning {
        /// A bucket is closed.
        case closed(until: Timestamp)
        /// Unless it is right, no more are taken for a while if it was the last.
        case counted(isLast: Bool)
    }

    /// Counts an attempt as failed in all its buckets, before it is made; in none while one of them is closed. Two round trips, one
    /// transaction of its own: whatever becomes of the caller's, the attempt was made.
    ///
    /// - Throws: `PostgresError`.
    func begin(_ session: PostgresSession, _ keys: AttemptKeys, at now: Timestamp) throws -> Beginning {
        // Locked in the order in which they are listed, which is the same for all.
        let locked = try session.begin(
            Self.options,
            then: [
                """
                INSERT INTO attempts AS a (kind, bucket, key, failures, last_failed_at, blocked_until)
                SELECT \(keys.kind.rawValue), bucket, key, 0, \(now.stored), \(now.stored)
                FROM unnest(\(keys.buckets.map(\.bucket.rawValue)), \(keys.buckets.map(\.key))) AS asked (bucket, key)
                ON CONFLICT (kind, bucket, key) DO UPDATE SET failures = a.failures
                RETURNING bucket, failures, last_failed_at, blocked_until
                """
            ])
        do {
            let counts = try Self.counts(locked[0])
            var after: [AttemptBucket: AttemptCount] = [:]
            var closedUntil: Timestamp?
            for (bucket, count) in counts {
                after[bucket] = AttemptRules(bucket).counting(count, at: now)
                if after[bucket] == nil { closedUntil = max(closedUntil ?? count.blockedUntil, count.blockedUntil) }
            }
            if let closedUntil {
                session.rollback()
                return .closed(until: closedUntil)
            }
            try session.commit(after: [Self.update(keys, after)])
            return .counted(isLast: after.values.contains { $0.isClosed(at: now) })
        } catch {
            session.rollback()
            throw error
        }
    }

    /// What came of an attempt that was counted.
    enum Outcome {
        case right
        /// It was not made.
        case withdrawn
    }

    /// Takes back that it failed, in two round trips.
    ///
    /// - Throws: `PostgresError`.
    func settle(_ session: PostgresSession, _ keys: AttemptKeys, _ outcome: Outcome) throws {
        let locked = try session.begin(
            Self.options,
            then: [
                """
                SELECT a.bucket, a.failures, a.last_failed_at, a.blocked_until
                FROM attempts a JOIN unnest(\(keys.buckets.map(\.bucket.rawValue)), \(keys.buckets.map(\.key))) AS asked (bucket, key)
                    ON a.bucket = asked.bucket AND a.key = asked.key
                WHERE a.kind = \(keys.kind.rawValue) ORDER BY a.bucket FOR UPDATE OF a
                """
            ])
        do {
            var after: [AttemptBucket: AttemptCount] = [:]
            for (bucket, count) in try Self.counts(locked[0]) {
                let rules = AttemptRules(bucket)
                after[bucket] =
                    switch outcome {
                    case .right: rules.succeeding(count)
                    case .withdrawn: rules.withdrawing(count)
                    }
            }
            let gone = keys.buckets.filter { after[$0.bucket] == nil }
            let delete: PostgresQuery = """
                DELETE FROM attempts a USING unnest(\(gone.map(\.bucket.rawValue)), \(gone.map(\.key))) AS gone (bucket, key)
                WHERE a.kind = \(keys.kind.rawValue) AND a.bucket = gone.bucket AND a.key = gone.key
                """
            try session.commit(after: [Self.update(keys, after), delete])
        } catch {
            session.rollback()
            throw error
        }
    }

    /// Deletes counters that decide nothing any more.
    ///
    /// - Returns: how many.
    /// - Throws: `PostgresError`.
    func purge(_ session: PostgresSession, at now: Timestamp, atMost limit: Int32) throws -> Int {
        let forgotten = AttemptRules.forgotten(at: now)
        let few = Int32(AttemptRules(.account).allowance)
        return try session.execute(
            """
            DELETE FROM attempts WHERE ctid = ANY (ARRAY(
                SELECT ctid FROM attempts WHERE last_failed_at < \(forgotten.few.stored)
                    AND (last_failed_at < \(forgotten.any.stored) OR failures < \(few) OR bucket = 'network')
                ORDER BY last_failed_at LIMIT \(limit) FOR UPDATE SKIP LOCKED))
            """)
    }

    private static func counts(_ rows: PostgresResult) throws -> [(AttemptBucket, AttemptCount)] {
        try rows.map { row in
            let (bucket, failures, lastFailedAt, blockedUntil) = try row.decode(
                String.self, Int32.self, PostgresTimestamp.self, PostgresTimestamp.self)
            guard let bucket = AttemptBucket(rawValue: bucket) else { throw UnreadableRow(table: "attempts") }
            let count = AttemptCount(
                failures: Int(failures), lastFailedAt: Timestamp(lastFailedAt), blockedUntil: Timestamp(blockedUntil))
            return (bucket, count)
        }
    }

    private static func update(_ keys: AttemptKeys, _ counts: [AttemptBucket: AttemptCount]) -> PostgresQuery {
        let rows = keys.buckets.compactMap { entry in counts[entry.bucket].map { (entry.bucket.rawValue, entry.key, $0) } }
        return """
            UPDATE attempts a SET failures = counted.failures, last_failed_at = counted.last_failed_at, blocked_until = counted.blocked_until
            FROM unnest(\(rows.map(\.0)), \(rows.map(\.1)), \(rows.map { Int32($0.2.failures) }), \(rows.map(\.2.lastFailedAt.stored)),
                \(rows.map(\.2.blockedUntil.stored))) AS counted (bucket, key, failures, last_failed_at, blocked_until)
            WHERE a.kind = \(keys.kind.rawValue) AND a.bucket = counted.bucket AND a.key = counted.key
            """
    }
}
