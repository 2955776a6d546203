internal import AMQP
internal import Concurrency
internal import Logging
internal import Postgres
internal import ServiceLifecycle

/// Runs steps on the consumer's own database, and waits while it is away.
struct RetryingExecutor: Sendable {
    let pool: PostgresPool
    let options: EventConsumerOptions
    let state: ConsumptionState
    let logger: Logger

    /// Why a step has no result.
    enum ExecutionFailure: Error, Sendable {
        case failed(EventFailure, SQLState?)
        /// The process ends, or the outage lasts too long: what is in hand goes back.
        case interrupted
    }

    private static let maximumConflicts = 6
    private static let conflictPause = Backoff(first: .milliseconds(8), maximum: .milliseconds(250))
    /// How many lost connections before the batch itself is suspected.
    private static let maximumLosses = 3
    /// How many disk failures of a server that answers right after, before the batch itself is suspected.
    private static let maximumDiskFailures = 20

    /// Runs a step, again and again until the database has done it or refused it for the step's own sake.
    ///
    /// - Parameter deadline: When an outage is over or what is in hand goes back.
    func run<Value: Sendable>(
        until deadline: ContinuousClock.Instant, _ step: () async throws -> Value
    ) async throws(ExecutionFailure) -> Value {
        var conflicts = 0
        var losses = 0
        var diskFailures = 0
        var outages = 0
        var began: ContinuousClock.Instant?
        defer { if began != nil { state.set(paused: false) } }
        while true {
            let error: any Error
            do {
                let value = try await step()
                if let began { noteReturn(since: began) }
                return value
            } catch let thrown { error = thrown }
            let state = (error as? PostgresError)?.sqlState
            switch FailureDiagnosis(error) {
            case .failure(let failure): throw .failed(failure, state)
            case .cancelled: throw .interrupted
            case .conflict:
                conflicts += 1
                guard conflicts < Self.maximumConflicts else { throw .failed(.transient("\(error)"), state) }
                try? await Task.sleep(for: Self.conflictPause.pause(after: conflicts))
            case .outage(let isExplained):
                if !isExplained { losses += 1 }
                if state?.rawValue.hasPrefix("58") ?? false { diskFailures += 1 }
                guard losses < Self.maximumLosses, diskFailures < Self.maximumDiskFailures else { throw .failed(.transient("\(error)"), state) }
                if began == nil {
                    began = .now
                    notePause(error)
                }
                // A server that answers may still be unable to write: longer each time, and not for ever.
                outages += 1
                guard .now < deadline, await Periodic.pause(for: options.outageBackoff.pause(after: outages)), await look(until: deadline) else {
                    throw .interrupted
                }
            }
        }
    }

    /// Waits until the database takes writes, as far as a look can tell: that its disk is full shows only when something is written.
    ///
    /// - Returns: false when the process ends first, or the outage lasts longer than it may.
    func waitUntilUsable() async -> Bool {
        if await isUsable() { return true }
        let began = ContinuousClock.now
        notePause(nil)
        defer { state.set(paused: false) }
        guard await look(until: began + options.outageLimit) else { return false }
        noteReturn(since: began)
        return true
    }

    /// Pauses although the database can be used as far as a look can tell.
    ///
    /// - Returns: false when the process ends.
    func rest(for duration: Duration) async -> Bool {
        state.set(paused: true)
        defer { state.set(paused: false) }
        logger.warning("events were returned to the broker repeatedly; pausing", metadata: ["pause.seconds": "\(duration.components.seconds)"])
        return await Periodic.pause(for: duration)
    }

    private func look(until deadline: ContinuousClock.Instant) async -> Bool {
        var attempt = 1
        while await !isUsable() {
            guard .now < deadline, await Periodic.pause(for: options.outageBackoff.pause(after: attempt)) else { return false }
            attempt += 1
        }
        return true
    }

    private func notePause(_ error: (any Error)?) {
        state.set(paused: true)
        logger.warning("the database is unreachable; pausing", metadata: error.map { ["error": "\(Self.safe($0))"] })
    }

    private func noteReturn(since began: ContinuousClock.Instant) {
        let seconds = (ContinuousClock.now - began).components.seconds
        logger.info("the database is reachable again; resuming", metadata: ["outage.seconds": "\(seconds)"])
    }

    private func isUsable() async -> Bool {
        let isWritable = try? await pool.withSession(within: .within(PostgresPool.pingLimit)) { session in
            try session.query("SELECT current_setting('transaction_read_only') = 'off'").first?.decode(Bool.self) ?? false
        }
        return isWritable ?? false
    }

    private static func safe(_ error: any Error) -> String {
        (error as? PostgresError).map { "\($0)" } ?? "\(type(of: error))"
    }
}
