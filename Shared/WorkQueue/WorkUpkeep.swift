internal import Concurrency
package import Logging
package import Postgres
package import ServiceDatabase
internal import ServiceLifecycle

/// Ends leases that nobody settles and work that has waited too long, deletes what is over, and counts the rest. One per process does; they
/// don't disturb each other.
package struct WorkUpkeep: Service, CustomStringConvertible {
    private let queue: WorkQueue
    private let pool: PostgresPool
    private let clock: ClockWitness
    private let metrics: WorkMetrics
    private let retention: Duration
    private let logger: Logger
    private let settled: WorkLanes.Settled

    private static let pause = Duration.seconds(5)
    /// Rows of one transaction.
    private static let atOnce = 500
    /// Looks from one deletion to the next.
    private static let looksPerExpiry = 12

    /// - Parameters:
    ///   - retention: How long work that is over is kept.
    ///   - settled: The lanes' own.
    package init(
        _ queue: WorkQueue, pool: PostgresPool, clock: ClockWitness, metrics: WorkMetrics, retention: Duration, logger: Logger,
        settled: @escaping WorkLanes.Settled
    ) {
        self.queue = queue
        self.pool = pool
        self.clock = clock
        self.metrics = metrics
        self.retention = retention
        self.logger = logger
        self.settled = settled
    }

    package var description: String { "upkeep of work queue \(queue.name)" }

    package func run() async throws {
        var look = 0
        await Periodic.run(every: Self.pause, startsAtOnce: true) {
            do {
                try await sweep()
                if look % Self.looksPerExpiry == 1 { try await expire() }
            } catch {
                logger.warning("a work queue can't be looked after", metadata: ["work.queue": "\(queue.name)", "error": "\(error)"])
            }
            look += 1
        }
    }

    /// Ends what has to end, a bounded number at a time, and counts.
    ///
    /// - Throws: ``ClockDisagreement`` when the server's clock, by which leases end, can't be believed; `PostgresError`.
    package func sweep() async throws {
        while true {
            let swept = try await pool.withTransaction { session in
                try clock.check(session)
                let swept = try queue.sweep(session, atMost: Self.atOnce)
                for (state, ids) in swept.lost { try settled(session, ids, state) }
                if !swept.expired.isEmpty { try settled(session, swept.expired, .expired) }
                return swept
            }
            metrics.swept(swept)
            if !swept.lost.isEmpty {
                logger.warning(
                    "work was claimed and its outcome is lost", metadata: ["work.queue": "\(queue.name)", "work.items": "\(swept.lostCount)"])
            }
            guard max(swept.lostCount, swept.expired.count) == Self.atOnce, !Task.isShuttingDownGracefully else { break }
        }
        metrics.set(try await pool.withSession { session in try queue.counts(session) })
    }

    private func expire() async throws {
        while true {
            let count = try await pool.withTransaction { session in
                try clock.check(session)
                return try queue.expire(session, olderThan: retention, atMost: Int32(Self.atOnce))
            }
            guard count == Self.atOnce, !Task.isShuttingDownGracefully else { return }
        }
    }
}
