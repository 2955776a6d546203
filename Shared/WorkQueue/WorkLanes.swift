internal import Concurrency
package import Logging
internal import Observability
internal import Outages
package import Postgres
internal import ServiceLifecycle

/// Works a queue off: lanes side by side, each with one piece of work at a time. Several processes may do so with one queue.
///
/// At a graceful shutdown no lane claims anything more, and each ends what it has in hand.
package struct WorkLanes: Service, CustomStringConvertible {
    /// Does the work once. It has its own time-outs, which together are shorter than the lease.
    package typealias Perform = @Sendable (_ claim: WorkClaim) async -> WorkOutcome
    /// What the service writes of its own when work went to a state, in the same transaction.
    package typealias Settled = @Sendable (_ session: PostgresSession, _ ids: [Int64], _ state: WorkState) throws -> Void

    private let queue: WorkQueue
    private let lanes: Int
    private let pool: PostgresPool
    private let metrics: WorkMetrics
    private let logger: Logger
    private let perform: Perform
    private let settled: Settled
    private let poll: Duration

    private static let outage = Backoff(first: .milliseconds(100), maximum: .seconds(5), jitter: .half)
    /// Attempts to write an outcome down once the process is to end.
    private static let attemptsAtEnd = 5

    package init(
        _ queue: WorkQueue, lanes: Int, pool: PostgresPool, metrics: WorkMetrics, poll: Duration = .milliseconds(500), logger: Logger,
        settled: @escaping Settled, perform: @escaping Perform
    ) {
        self.queue = queue
        self.lanes = lanes
        self.pool = pool
        self.metrics = metrics
        var logger = logger
        logger[metadataKey: "work.queue"] = "\(queue.name)"
        self.logger = logger
        self.perform = perform
        self.settled = settled
        self.poll = poll
    }

    package var description: String { "work queue \(queue.name)" }

    package func run() async throws {
        await withDiscardingTaskGroup { group in
            for _ in 0..<lanes { group.addTask { await lane() } }
        }
    }

    private func lane() async {
        var outages = OutageLog()
        var failures = 0
        while !Task.isShuttingDownGracefully, !Task.isCancelled {
            do {
                let claim = try await pool.withTransaction { session in try queue.claim(session).first }
                if let count = outages.succeeded() { logger.info("work can be claimed again", metadata: ["failures": "\(count)"]) }
                failures = 0
                guard let claim else {
                    _ = await Periodic.pause(for: poll)
                    continue
                }
                await work(claim)
            } catch {
                failures += 1
                if let count = outages.failed("\(error)") {
                    logger.warning("work can't be claimed", metadata: ["error": "\(error)", "failures": "\(count)"])
                }
                _ = await Periodic.pause(for: Self.outage.pause(after: failures))
            }
        }
    }

    private func work(_ claim: WorkClaim) async {
        let began = ContinuousClock.now
        let outcome = await perform(claim)
        let took = ContinuousClock.now - began
        guard let state = await settle(claim, outcome) else { return }
        metrics.ended(as: state, after: took)
        note(claim, outcome, state)
    }

    /// Until the outcome is written down: while the process lives, it knows what a later look at the row could not.
    ///
    /// - Returns: Where the work is, in a second layer nil when the claim is no longer the last; nil when the process ends first.
    private func settle(_ claim: WorkClaim, _ outcome: WorkOutcome) async -> WorkState?? {
        var failures = 0
        while true {
            do {
                return .some(
                    try await pool.withTransaction { session in
                        let state = try queue.settle(session, claim, outcome)
                        if let state { try settled(session, [claim.id], state) }
                        return state
                    })
            } catch {
                failures += 1
                guard !Task.isCancelled, failures < Self.attemptsAtEnd || !Task.isShuttingDownGracefully else {
                    logger.error(
                        "an outcome of work could not be written down",
                        metadata: claim.metadata.merging(["error": "\(error)"]) { _, new in new })
                    return nil
                }
                try? await Task.sleep(for: Self.outage.pause(after: failures))
            }
        }
    }

    private func note(_ claim: WorkClaim, _ outcome: WorkOutcome, _ state: WorkState?) {
        var metadata = claim.metadata
        metadata["work.state"] = "\(state?.rawValue ?? "fenced")"
        switch outcome {
        case .done: return logger.debug("work is done", metadata: metadata)
        case .again(let reason), .refused(let reason), .poison(let reason), .unknown(let reason): metadata["work.reason"] = "\(reason)"
        }
        logger.info("work was not done, or may not have been", metadata: metadata)
    }
}

extension WorkClaim {
    /// What log lines about the work say of it.
    fileprivate var metadata: Logger.Metadata {
        var metadata: Logger.Metadata = ["work.item": "\(id)", "work.attempt": "\(attempt)"]
        if let trace { metadata["trace_id"] = "\(trace.traceID)" }
        return metadata
    }
}
