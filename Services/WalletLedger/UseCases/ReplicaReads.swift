import Concurrency
import Contracts
package import Logging
import Metrics
package import Postgres
package import ServiceDatabase
import ServiceLifecycle
import Synchronization

/// Answers about the past from a streaming standby, where it provably knows all of that past.
///
/// Once a second the primary is asked what is final and how far it has written. A question is taken to the standby when such a sample
/// covers it and the standby has replayed up to that sample's position: then every posting before that time is there. In every other
/// case, the standby's failure among them, the question goes to the primary. Decisions about money never come here.
package final class ReplicaReads: Service {
    static let interval = Duration.seconds(1)
    /// A standby that lags more than so many samples is no help.
    static let keptSamples = 600
    /// Longer than any read takes; a standby that hangs must not hold its callers.
    static let readLimit = Duration.seconds(2)
    /// How long a caller waits for a connection to the standby before the primary is asked.
    package static let acquireTimeout = Duration.milliseconds(250)

    private struct Sample {
        let settled: HistoryStore.Settled
        let position: ReplicaStore.Position
    }

    private struct State {
        /// The oldest first.
        var samples: [Sample] = []
        var isUsable = false
        /// Whether the standby was looked at and found to be the ledger's own.
        var isOwn = false
        /// Why it was refused, as it was last logged.
        var refusal: String?
    }

    private let primary: PostgresPool
    private let replica: PostgresPool
    private let clock: ClockWitness
    private let logger: Logger
    private let inspect: @Sendable (PostgresSession) throws -> Void
    private let history = HistoryStore()
    private let store = ReplicaStore()
    private let state = Mutex(State())
    private let fromReplica = Counter(label: "ledger_replica_reads_total", dimensions: [("target", "replica")])
    private let fromPrimary = Counter(label: "ledger_replica_reads_total", dimensions: [("target", "primary")])

    /// - Parameter inspect: Looks at the standby before anything is read from it, and throws when it is not the ledger's own.
    package init(
        primary: PostgresPool, replica: PostgresPool, clock: ClockWitness, logger: Logger,
        inspect: @escaping @Sendable (PostgresSession) throws -> Void = { _ in }
    ) {
        self.inspect = inspect
        self.primary = primary
        self.replica = replica
        self.clock = clock
        self.logger = logger
    }

    package func run() async throws {
        await Periodic.run(every: Self.interval, startsAtOnce: true) { await sample() }
    }

    /// Looks once at both servers.
    package func sample() async {
        do {
            // What is final first: what has ended by then has its commit before the position that is read afterwards.
            let sample = try await primary.withSession(within: .within(Self.readLimit)) { session in
                let askedAt = clock.willAsk()
                let results = try session.pipeline([history.settledQuery, store.positionQuery])
                let settled = try history.settled(results[0][0])
                // A sample of a wrong clock would call final what is still to come. The standby's own clock counts nowhere.
                try clock.check(settled.now, askedAt: askedAt)
                return Sample(settled: settled, position: try store.position(results[1][0]))
            }
            state.withLock { state in
                // A position of a cluster or timeline before says nothing about this one.
                state.samples.removeAll { $0.position.system != sample.position.system || $0.position.timeline != sample.position.timeline }
                state.samples.append(sample)
                state.samples.removeFirst(max(0, state.samples.count - Self.keptSamples))
            }
        } catch {
            logger.debug("the primary's position can't be read", metadata: ["error": "\(error)"])
        }
        do {
            if !state.withLock({ $0.isOwn }) {
                try await replica.withSession(inspect)
                state.withLock { $0.isOwn = true }
            }
            try await replica.ping()
            mark(isUsable: true)
        } catch let error as PostgresError {
            logger.debug("the read replica can't be queried", metadata: ["error": "\(error)"])
            mark(isUsable: false)
        } catch {
            mark(isUsable: false)
            note(refusal: "\(error)")
        }
    }

    /// Runs a read on the standby when that has all before the cut.
    ///
    /// - Returns: nil when the primary has to be asked.
    func read<Value: Sendable>(
        before cut: Timestamp, settling: Duration, within limit: WaitLimit = .standard,
        _ body: @Sendable (PostgresSession) throws -> Value?
    ) async -> Value? {
        let found = await answer(before: cut, settling: settling, within: limit.sharing(Self.readLimit), body)
        if found == nil { fromPrimary.increment() } else { fromReplica.increment() }
        return found
    }

    private func answer<Value: Sendable>(
        before cut: Timestamp, settling: Duration, within limit: WaitLimit, _ body: @Sendable (PostgresSession) throws -> Value?
    ) async -> Value? {
        let position = state.withLock { state -> ReplicaStore.Position? in
            guard state.isUsable else { return nil }
            return state.samples.first { cut <= $0.settled.final && cut <= $0.settled.now.earlier(by: settling) }?.position
        }
        guard let position else { return nil }
        do {
            return try await replica.withTransaction(TransactionOptions(isReadOnly: true), within: limit) { session in
                guard try session.query(store.hasReplayedQuery(position))[0].decode(Bool.self) else { return nil }
                return try body(session)
            }
        } catch {
            mark(isUsable: false)
            logger.debug("a read of the replica failed", metadata: ["error": "\(error)"])
            return nil
        }
    }

    private func note(refusal: String) {
        let isNew = state.withLock { state in
            defer { state.refusal = refusal }
            return state.refusal != refusal
        }
        if isNew { logger.error("the read replica can't be used", metadata: ["error": "\(refusal)"]) }
    }

    private func mark(isUsable: Bool) {
        let hasChanged = state.withLock { state in
            defer { state.isUsable = isUsable }
            return state.isUsable != isUsable
        }
        if hasChanged { logger.info("the read replica is \(isUsable ? "reachable" : "unreachable")") }
    }
}

extension WaitLimit {
    /// That long at most, and half of a deadline, so that the other half is left for the primary.
    fileprivate func sharing(_ duration: Duration) -> WaitLimit {
        guard case .until(let end) = self else { return capped(at: duration) }
        return capped(at: min(duration, (end - .now) / 2))
    }
}
