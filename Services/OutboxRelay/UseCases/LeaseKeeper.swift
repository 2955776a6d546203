import Concurrency
import CoreMetrics
import Logging
import Outbox
import Postgres
import ServiceLifecycle
import Synchronization

/// Keeps this relay's share of the partitions leased, and gives them back at the end.
///
/// The share is an equal part for each relay that lives. A relay with more gives the rest back once nothing of it is under way, and one
/// that has had no broker for as long as a lease lasts gives back everything: others may reach it.
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
    private let reachesBroker: @Sendable () -> Bool
    /// `offered` are to be given back with the next renewal. When something was forgotten, an answer that was asked for before is not heard.
    private let state = Mutex((holding: Holding(), offered: Set<Int>(), hasForgotten: false))

    init(
        owner: String, pool: PostgresPool, timing: RelayTiming, logger: Logger, lost: Counter, reachesBroker: @escaping @Sendable () -> Bool
    ) {
        self.reachesBroker = reachesBroker
        store = LeaseStore(owner: owner)
        self.pool = pool
        self.timing = timing
        self.logger = logger
        self.lost = lost
    }

    var current: Holding { state.withLock { $0.holding } }

    func run() async throws {
        var isFailing = false
        var reachedBroker = ContinuousClock.now
        var nextRenewal = ContinuousClock.now
        let pause = min(timing.search, timing.renewal)
        while !Task.isShuttingDownGracefully {
            if reachesBroker() { reachedBroker = .now }
            if isFailing || hasSomethingToSay || ContinuousClock.now >= nextRenewal {
                nextRenewal = .now + timing.renewal
                do {
                    if ContinuousClock.now - reachedBroker < timing.lease { try await renew() } else { try await giveUp() }
                    isFailing = false
                } catch {
                    if !isFailing { logger.warning("leases can't be renewed", metadata: ["error": "\(error)"]) }
                    isFailing = true
                }
            }
            guard await Periodic.pause(for: pause) else { break }
        }
        // A cancelled process tries as well: the others would wait for its leases to run out.
        try? await leave()
    }

    /// Whether something is to be given back or to be asked before the next renewal is due.
    private var hasSomethingToSay: Bool {
        state.withLock { $0.holding.excess != 0 || !$0.offered.isEmpty || $0.hasForgotten }
    }

    private func giveUp() async throws {
        guard !current.leases.isEmpty else { return }
        logger.warning("no broker for the length of a lease; releasing all partitions")
        try await leave()
    }

    private func leave() async throws {
        state.withLock { $0.holding = Holding() }
        let store = store
        try await pool.withSession(within: .within(timing.lease)) { session in try store.leave(session) }
    }

    private func renew() async throws {
        let (store, timing) = (store, timing)
        let seconds = timing.lease.inSeconds
        let returned = state.withLock { state in
            state.hasForgotten = false
            return state.offered
        }
        let asked = ContinuousClock.now
        // What is renewed later than that has run out.
        let (leases, excess) = try await pool.withSession(within: .within(timing.lease)) { session in
            try store.release(session, returned.sorted())
            let (kept, members) = try store.renew(session, for: seconds)
            let share = Self.share(of: members)
            let new = try store.acquire(session, atMost: share - kept.count, for: seconds)
            return (kept + new, kept.count + new.count - share)
        }
        state.withLock { state in
            guard !state.hasForgotten else { return }
            state.offered.subtract(returned)
            let before = state.holding.leases
            // What was given back while the database was asked is no longer to be worked on.
            let kept = leases.filter { !state.offered.contains($0.partition) }
            state.holding.leases = Dictionary(kept.map { ($0.partition, $0) }, uniquingKeysWith: { $1 })
            state.holding.validUntil = asked + timing.lease
            state.holding.excess = excess - state.offered.count
            let gone = before.values.filter { lease in
                state.holding.leases[lease.partition]?.epoch != lease.epoch && !state.offered.contains(lease.partition)
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
        state.withLock { state in
            state.hasForgotten = true
            for partition in partitions { state.holding.leases[partition] = nil }
        }
    }

    /// Gives partitions back in which nothing is under way, with the next renewal.
    func giveBack(_ partitions: [Int]) {
        guard !partitions.isEmpty else { return }
        state.withLock { state in
            state.offered.formUnion(partitions)
            for partition in partitions { state.holding.leases[partition] = nil }
            state.holding.excess -= partitions.count
        }
    }
}
