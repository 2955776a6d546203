import CoreMetrics
import Logging
import Outbox
import Postgres
import ServiceLifecycle
import Synchronization

/// Keeps this relay's share of the partitions leased, and gives them back at the end.
///
/// The share is an equal part for each relay that lives. A relay with more gives the rest back once nothing of it is under way.
final class LeaseKeeper: Service {
    /// What the relay may work on.
    struct Holding: Sendable {
        var leases: [Int: LeaseStore.Lease] = [:]
        /// By this process's clock, counted from before the database was asked.
        var validUntil = ContinuousClock.now
        /// How many partitions are to be given back.
        var excess = 0
    }

    private let store: LeaseStore
    private let pool: PostgresPool
    private let timing: RelayTiming
    private let logger: Logger
    private let lost: Counter
    private let holding = Mutex(Holding())
    /// To be given back with the next renewal.
    private let offered = Mutex<Set<Int>>([])

    init(owner: String, pool: PostgresPool, timing: RelayTiming, logger: Logger, lost: Counter) {
        store = LeaseStore(owner: owner)
        self.pool = pool
        self.timing = timing
        self.logger = logger
        self.lost = lost
    }

    var current: Holding { holding.withLock { $0 } }

    func run() async throws {
        var isFailing = false
        while !Task.isShuttingDownGracefully {
            do {
                try await renew()
                isFailing = false
            } catch {
                if !isFailing { logger.warning("leases can't be renewed", metadata: ["error": "\(error)"]) }
                isFailing = true
            }
            let pause = holding.withLock { $0.excess == 0 } && !isFailing ? timing.renewal : timing.search
            guard (try? await cancelWhenGracefulShutdown { try await Task.sleep(for: pause) }) != nil else { break }
        }
        // A cancelled process tries as well: the others would wait for its leases to run out.
        try? await pool.withSession { session in try self.store.leave(session) }
        holding.withLock { $0 = Holding() }
    }

    private func renew() async throws {
        let (store, timing) = (store, timing)
        let seconds = timing.lease.inSeconds
        let returned = offered.withLock { $0 }
        let asked = ContinuousClock.now
        let (leases, excess) = try await pool.withSession { session in
            try store.release(session, returned.sorted())
            let (kept, members) = try store.renew(session, for: seconds)
            let share = Self.share(of: members)
            let new = try store.acquire(session, atMost: share - kept.count, for: seconds)
            return (kept + new, kept.count + new.count - share)
        }
        let stillOffered = offered.withLock { offered in
            offered.subtract(returned)
            return offered
        }
        holding.withLock { holding in
            let before = holding.leases
            // What was given back while the database was asked is no longer to be worked on.
            holding.leases = Dictionary(
                leases.filter { !stillOffered.contains($0.partition) }.map { ($0.partition, $0) }, uniquingKeysWith: { $1 })
            holding.validUntil = asked + timing.lease
            holding.excess = excess - stillOffered.count
            let gone = before.values.filter { lease in
                holding.leases[lease.partition]?.epoch != lease.epoch && !stillOffered.contains(lease.partition)
            }
            lost.increment(by: gone.count)
        }
    }

    /// An equal part, rounded up.
    static func share(of members: Int) -> Int { (OutboxPartition.count + max(1, members) - 1) / max(1, members) }

    /// The relay found out that these are another's.
    func forget(_ partitions: Set<Int>) {
        guard !partitions.isEmpty else { return }
        lost.increment(by: partitions.count)
        holding.withLock { holding in for partition in partitions { holding.leases[partition] = nil } }
    }

    /// Gives partitions back in which nothing is under way, with the next renewal.
    func giveBack(_ partitions: [Int]) {
        guard !partitions.isEmpty else { return }
        offered.withLock { $0.formUnion(partitions) }
        holding.withLock { holding in
            for partition in partitions { holding.leases[partition] = nil }
            holding.excess -= partitions.count
        }
    }
}
