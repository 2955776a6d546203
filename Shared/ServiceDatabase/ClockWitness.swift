package import Contracts
package import Logging
internal import Metrics
package import Observability
package import Postgres
package import ServiceRuntime
internal import Synchronization

/// The database server's clock can't be believed at present, so nothing is stamped, answered for good or deleted by it.
package struct ClockDisagreement: Error, Hashable, CustomStringConvertible {
    package init() {}
    package var description: String { "the database server's clock and this process's disagree" }
}

/// Compares the database server's clock with this process's own wherever a time of the server's is about to count.
///
/// See ``ClockAgreement`` for the rule. It costs a lock and no system call of note.
package final class ClockWitness: Sendable {
    /// How far the server's clock may be from what this process expects. Signed requests already hold callers to 10 s.
    package static let tolerance = Duration.seconds(5)
    /// How long server and process must agree on another time before it is believed.
    package static let confirmation = Duration.seconds(60)

    private struct State {
        var agreement: ClockAgreement
        var offset: Int64 = 0
        var isBelieved = true
    }

    private let wall: @Sendable () -> Int64
    private let steady: @Sendable () -> Duration
    private let logger: Logger?
    private let disagreements: Counter?
    private let state: Mutex<State>

    /// - Parameters:
    ///   - wall: The process's wall clock, Unix microseconds.
    ///   - steady: A clock of the process that only runs, and can't be set.
    ///   - metrics: Where the offset and the refusals show.
    package init(
        logger: Logger? = nil, metrics: PrometheusRegistry? = nil,
        wall: @escaping @Sendable () -> Int64 = WallClock.microsecondsSinceUnixEpoch, steady: (@Sendable () -> Duration)? = nil
    ) {
        self.wall = wall
        let start = ContinuousClock.now
        self.steady = steady ?? { .now - start }
        self.logger = logger
        state = Mutex(State(agreement: ClockAgreement(tolerance: Self.tolerance.microseconds, confirmation: Self.confirmation.microseconds)))
        disagreements = metrics.map { Counter(label: "database_clock_disagreements_total", factory: $0) }
        guard let metrics else { return }
        metrics.describe(
            "database_clock_disagreements_total", "Readings of the database server's clock that were not believed.")
        metrics.observe(
            "database_clock_offset_seconds", .gauge,
            "The database server's clock less this process's, in seconds, when it was read last. Positive: the server's is ahead."
        ) { [weak self] in
            Double(self?.state.withLock { $0.offset } ?? 0) / 1e6
        }
    }

    /// Whether the last reading was believed, as a non-critical check: what needs no time of the server's goes on.
    package var healthCheck: HealthCheck {
        HealthCheck(name: "clock", critical: false) {
            guard self.state.withLock({ $0.isBelieved }) else { throw ClockDisagreement() }
        }
    }

    /// To be taken before the server is asked for its clock.
    package func willAsk() -> Duration { steady() }

    /// Judges a reading that has just come.
    ///
    /// - Parameter askedAt: What ``willAsk()`` gave.
    /// - Throws: ``ClockDisagreement`` when the reading can't be believed.
    package func check(_ server: Timestamp, askedAt: Duration) throws(ClockDisagreement) {
        let reading = ClockAgreement.Reading(
            server: server.microsecondsSinceUnixEpoch, askedAt: askedAt.microseconds, answeredAt: steady().microseconds, wall: wall())
        let (isBelieved, hasChanged, offset) = state.withLock { state in
            let isBelieved = state.agreement.judge(reading)
            defer { state.isBelieved = isBelieved }
            state.offset = reading.server - reading.wall
            return (isBelieved, isBelieved != state.isBelieved, state.offset)
        }
        if hasChanged {
            let metadata: Logger.Metadata = ["clock.offset_seconds": "\(Double(offset) / 1e6)"]
            if isBelieved {
                logger?.notice("the database server's clock is trusted again", metadata: metadata)
            } else {
                logger?.error("the database server's clock has stepped or disagrees with this process's", metadata: metadata)
            }
        }
        guard !isBelieved else { return }
        disagreements?.increment()
        throw ClockDisagreement()
    }

    /// Reads the server's clock and judges it; before rows are deleted by their age, say.
    ///
    /// - Throws: ``ClockDisagreement``; `PostgresError`.
    package func check(_ session: PostgresSession) throws {
        let askedAt = willAsk()
        let server = try session.clock().microsecondsSinceUnixEpoch
        try check(Timestamp(microsecondsSinceUnixEpoch: server), askedAt: askedAt)
    }
}

extension Duration {
    fileprivate var microseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1_000_000 + attoseconds / 1_000_000_000_000
    }
}
