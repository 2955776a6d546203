internal import FoundationEssentials
internal import Postgres

/// What a relay has to say about events since its last look: marks, and what becomes of those that could not be published.
package struct RelayChanges: Sendable, Hashable {
    /// An event that is set aside, new or again.
    package struct Held: Sendable, Hashable {
        package let id: Int64
        package let partition: Int
        package let epoch: Int64
        package let partitionKey: String
        package let state: DeferredState
        package let attempts: Int
        /// Nil for those that only wait.
        package let reason: String?
        /// Seconds from now.
        package let pause: Double

        package init(
            id: Int64, partition: Int, epoch: Int64, partitionKey: String, state: DeferredState, attempts: Int, reason: String?, pause: Double
        ) {
            self.id = id
            self.partition = partition
            self.epoch = epoch
            self.partitionKey = partitionKey
            self.state = state
            self.attempts = attempts
            self.reason = reason
            self.pause = pause
        }
    }

    /// An event that was set aside and is published now.
    package struct Released: Sendable, Hashable {
        package let id: Int64
        package let partition: Int
        package let epoch: Int64

        package init(id: Int64, partition: Int, epoch: Int64) {
            self.id = id
            self.partition = partition
            self.epoch = epoch
        }
    }

    package var marks: [RelayProgress.Mark] = []
    package var held: [Held] = []
    package var released: [Released] = []

    package init() {}

    package var isEmpty: Bool { marks.isEmpty && held.isEmpty && released.isEmpty }

    /// One epoch per partition: what was said under an older one is void anyway.
    private var epochs: [Int: Int64] {
        var epochs: [Int: Int64] = [:]
        for (partition, epoch) in marks.map({ ($0.partition, $0.epoch) }) + held.map({ ($0.partition, $0.epoch) })
            + released.map({ ($0.partition, $0.epoch) })
        {
            epochs[partition] = max(epochs[partition] ?? 0, epoch)
        }
        return epochs
    }

    /// Adds the statements to a pipeline.
    /// - Returns: the place of the one that tells which partitions are still the caller's.
    func append(to queries: inout [PostgresQuery], owner: String, life: Int64?) -> Int {
        // Marks alone may be lost, which publishes again; what an operator or a later attempt goes by may not.
        queries.append(
            held.isEmpty && released.isEmpty
                ? "SELECT set_config('synchronous_commit', 'off', true)" : "SELECT set_config('synchronous_commit', 'on', true)")
        let epochs = epochs.sorted { $0.key < $1.key }
        let through = Dictionary(marks.map { ($0.partition, $0.through) }, uniquingKeysWith: max)
        // Locks the rows, so that nobody takes a partition over before the rest is written.
        queries.append(
            """
            UPDATE relay_partitions p SET published_through = greatest(p.published_through, new.through)
            FROM unnest(\(epochs.map { Int16(truncatingIfNeeded: $0.key) }), \(epochs.map(\.value)), \(epochs.map { through[$0.key] ?? 0 }))
                AS new (partition, epoch, through)
            WHERE p.partition = new.partition AND p.epoch = new.epoch AND p.owner = \(owner) AND \(unsafeSQL: RelayStore.life) = \(life)
            RETURNING p.partition
            """)
        let fence = queries.count - 1
        if !held.isEmpty { queries.append(heldQuery(owner: owner, life: life)) }
        if !released.isEmpty {
            queries.append(
                """
                DELETE FROM outbox_held h USING unnest(\(released.map(\.id)), \(released.map { Int16(truncatingIfNeeded: $0.partition) }),
                    \(released.map(\.epoch))) AS gone (id, partition, epoch), relay_partitions p
                WHERE h.id = gone.id AND p.partition = gone.partition AND p.epoch = gone.epoch AND p.owner = \(owner)
                    AND \(unsafeSQL: RelayStore.life) = \(life)
                """)
        }
        return fence
    }

    private func heldQuery(owner: String, life: Int64?) -> PostgresQuery {
        let columns: PostgresArguments = [
            "id": held.map(\.id), "partition": held.map { Int16(truncatingIfNeeded: $0.partition) }, "epoch": held.map(\.epoch),
            "partition_key": held.map(\.partitionKey), "state": held.map(\.state.rawValue),
            "attempts": held.map { Int32(truncatingIfNeeded: $0.attempts) }, "reason": held.map(\.reason), "pause": held.map(\.pause),
        ]
        return """
            INSERT INTO outbox_held AS h (id, partition, partition_key, state, attempts, next_attempt_at, reason, first_failed_at, last_failed_at)
            SELECT new.id, new.partition, new.partition_key, new.state, new.attempts, clock_timestamp() + make_interval(secs => new.pause),
                new.reason, CASE WHEN new.reason IS NOT NULL THEN clock_timestamp() END,
                CASE WHEN new.reason IS NOT NULL THEN clock_timestamp() END
            FROM unnest(\(columns)) AS new (\(unsafeSQL: columns.list))
            JOIN relay_partitions p ON p.partition = new.partition AND p.epoch = new.epoch AND p.owner = \(owner)
                AND \(unsafeSQL: RelayStore.life) = \(life)
            ON CONFLICT (id) DO UPDATE SET state = excluded.state, attempts = excluded.attempts, next_attempt_at = excluded.next_attempt_at,
                reason = coalesce(excluded.reason, h.reason), first_failed_at = coalesce(h.first_failed_at, excluded.first_failed_at),
                last_failed_at = coalesce(excluded.last_failed_at, h.last_failed_at)
            WHERE excluded.state <> 'waiting' OR h.state = 'waiting'
            """
    }

    func lost(_ fence: PostgresResult) throws(PostgresError) -> Set<Int> {
        var lost = Set(epochs.keys)
        for row in fence { lost.remove(Int(try row.decode(Int16.self))) }
        return lost
    }
}

/// Why an event is set aside.
package enum DeferredState: String, Sendable, Hashable, CaseIterable {
    /// It could not be published, and is tried again later.
    case failing
    /// An event of its partition key before it is failing.
    case waiting
    /// It was tried as often as it may be: an operator must look. Those behind it went on.
    case parked
    /// An operator has given it up.
    case discarded
}
