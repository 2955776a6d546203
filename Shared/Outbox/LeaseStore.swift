package import Postgres

/// The leases of an outbox's partitions, by the database's clock.
///
/// A partition whose mark is void, beyond every event, is nobody's: which of its events are published is not known.
///
/// A lease that ends later than any may was given by a clock that was ahead, and counts as ended: its owner may be gone, and nobody would
/// have its partitions until the clock gets there. Where the owner lives, it notices by the epoch that another has them, and until then
/// both may publish: what that costs is duplicates.
package struct LeaseStore: Sendable {
    /// No lease lasts longer.
    package static let longest = Duration.seconds(60)
    /// Whether a lease or a member of that name has ended, as SQL.
    static let isOver = "(expires_at <= clock_timestamp() OR expires_at > clock_timestamp() + interval '\(longest.components.seconds) seconds')"

    /// A partition in a relay's hands.
    package struct Lease: Sendable, Hashable {
        package let partition: Int
        package let epoch: Int64
        package let markedThrough: Int64
        /// The life of the server in which that was its mark.
        package let life: Int64
    }

    private let owner: String

    /// - Parameter owner: Names one process, and no later one.
    package init(owner: String) {
        self.owner = owner
    }

    /// The mark of no event, which the ids never reach: a void mark becomes it, so that it is not taken for one once they have come as far.
    package static let voidMark = Int64.max

    /// Says that the relay lives, and renews its leases, save those whose marks are void.
    ///
    /// A lease that ran out and that nobody took is the owner's still: only the epoch tells.
    /// - Parameter duration: Seconds.
    /// - Returns: the leases that are the owner's, and how many relays live.
    /// - Throws: `PostgresError`.
    package func renew(_ session: PostgresSession, for duration: Double) throws -> (leases: [Lease], members: Int) {
        let results = try session.pipeline([
            """
            UPDATE relay_partitions SET published_through = \(Self.voidMark)
            WHERE \(unsafeSQL: RelayStore.isVoid) AND published_through < \(Self.voidMark)
            """,
            """
            INSERT INTO relay_members (owner, expires_at) VALUES (\(owner), clock_timestamp() + make_interval(secs => \(duration)))
            ON CONFLICT (owner) DO UPDATE SET expires_at = excluded.expires_at
            """,
            // One that lives and is deleted here comes back with its next renewal.
            "DELETE FROM relay_members WHERE expires_at < clock_timestamp() - interval '1 minute' OR expires_at > clock_timestamp() AND \(unsafeSQL: Self.isOver)",
            """
            UPDATE relay_partitions SET expires_at = clock_timestamp() + make_interval(secs => \(duration))
            WHERE owner = \(owner) AND NOT \(unsafeSQL: RelayStore.isVoid)
            RETURNING partition, epoch, published_through, \(unsafeSQL: RelayStore.life)
            """,
            "SELECT count(*) FROM relay_members WHERE NOT \(unsafeSQL: Self.isOver)",
        ])
        return (try results[3].map(Self.lease), Int(try results[4][0].decode(Int64.self)))
    }

    /// Leases free partitions, a few of them while others do the same.
    ///
    /// - Returns: what this call leased, under new epochs.
    /// - Throws: `PostgresError`.
    package func acquire(_ session: PostgresSession, atMost count: Int, for duration: Double) throws -> [Lease] {
        guard count > 0 else { return [] }
        return try session.query(
            """
            WITH free AS MATERIALIZED (
                SELECT partition FROM relay_partitions
                WHERE (owner IS NULL OR \(unsafeSQL: Self.isOver)) AND NOT \(unsafeSQL: RelayStore.isVoid)
                ORDER BY partition LIMIT \(Int64(count)) FOR UPDATE SKIP LOCKED
            )
            UPDATE relay_partitions p SET owner = \(owner), epoch = epoch + 1,
                expires_at = clock_timestamp() + make_interval(secs => \(duration))
            FROM free WHERE p.partition = free.partition
            RETURNING p.partition, p.epoch, p.published_through, \(unsafeSQL: RelayStore.life)
            """
        ).map(Self.lease)
    }

    /// Gives partitions back, so that others need not wait until the leases run out.
    /// - Throws: `PostgresError`.
    package func release(_ session: PostgresSession, _ partitions: [Int]) throws {
        guard !partitions.isEmpty else { return }
        try session.execute(
            """
            UPDATE relay_partitions SET owner = NULL, expires_at = '-infinity'
            WHERE owner = \(owner) AND partition = ANY(\(partitions.map(Int16.init(truncatingIfNeeded:))))
            """)
    }

    /// The relay is gone.
    /// - Throws: `PostgresError`.
    package func leave(_ session: PostgresSession) throws {
        _ = try session.pipeline([
            "UPDATE relay_partitions SET owner = NULL, expires_at = '-infinity' WHERE owner = \(owner)",
            "DELETE FROM relay_members WHERE owner = \(owner)",
        ])
    }

    private static func lease(_ row: PostgresRow) throws(PostgresError) -> Lease {
        let (partition, epoch, markedThrough, life) = try row.decode(Int16.self, Int64.self, Int64.self, Int64.self)
        return Lease(partition: Int(partition), epoch: epoch, markedThrough: markedThrough, life: life)
    }
}
