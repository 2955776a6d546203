import Concurrency
import CoreMetrics
import Logging
import Outbox
import Postgres
import ServiceDatabase
import ServiceLifecycle

/// Counts what waits, and deletes what was published long ago.
struct OutboxHousekeeping: Service {
    private static let pause = Duration.seconds(2)
    private static let prunePause = Duration.seconds(60)
    private static let pageSize = 5_000

    let pool: PostgresPool
    let retentionDays: Int
    let metrics: RelayMetrics
    let clock: ClockWitness
    let logger: Logger

    func run() async throws {
        var nextPruning = ContinuousClock.now
        var isFailing = false
        var voidPartitions: [Int] = []
        await Periodic.run(every: Self.pause, startsAtOnce: true) {
            do {
                let void = try await count()
                if void != voidPartitions { reportError(of: void) }
                voidPartitions = void
                if ContinuousClock.now >= nextPruning {
                    try await prune()
                    nextPruning = .now + Self.prunePause
                }
                isFailing = false
            } catch {
                if !isFailing { logger.warning("the outbox can't be counted or pruned", metadata: ["error": "\(error)"]) }
                isFailing = true
            }
        }
    }

    /// - Returns: the partitions whose marks are beyond the last event.
    @discardableResult
    func count() async throws -> [Int] {
        let (gauges, voidPartitions) = try await pool.withSession { session in
            let (counts, oldest) = try DeferredEventStore().counts(session)
            let backlog = try OutboxUpkeep().backlog(session)
            let gauges = RelayMetrics.Gauges(
                backlog: backlog.count, held: counts, oldestHeld: oldest, oldestUnleased: backlog.oldestUnleased,
                voidMarks: backlog.voidPartitions.count)
            return (gauges, backlog.voidPartitions)
        }
        metrics.tell(gauges)
        return voidPartitions
    }

    private func reportError(of partitions: [Int]) {
        guard !partitions.isEmpty else {
            logger.info("all marks are within the outbox again")
            return
        }
        logger.error(
            "marks are beyond the last event: these partitions are neither published nor pruned until corrected (runbook events.md)",
            metadata: ["partitions": "\(partitions)"])
    }

    /// Page by page, so that no transaction is long.
    func prune() async throws {
        let days = retentionDays
        while true {
            let deleted = try await pool.withSession { session in
                try clock.check(session)
                return try OutboxUpkeep().prune(session, olderThanDays: days, limit: Self.pageSize)
            }
            metrics.pruned.increment(by: deleted)
            guard deleted == Self.pageSize, !Task.isShuttingDownGracefully else { return }
        }
    }
}
