import Concurrency
import Synchronization

/// What a process allows itself towards one callee, over all its calls: how many at once, how many retries, and whether to call at all.
///
/// The decisions are those of three pure state machines, each taken under a lock with the time of that moment.
final class CalleeAdmission: Sendable {
    private struct State {
        var budget = RetryBudget()
        var breaker: CircuitBreaker
        var totalRetries = 0
        var totalRefusedRetries = 0
    }

    /// What is under way, for the metrics and for tests.
    struct Statistics: Sendable, Equatable {
        let underWay: Int
        let waiting: Int
        let retries: Int
        let totalRetries: Int
        let totalRefusedRetries: Int
        let circuit: CircuitBreaker.State
    }

    private let bulkhead: ConcurrencyLimit
    private let state: Mutex<State>

    /// - Parameter limit: Calls under way at once; as many more wait for their turn.
    init(limit: Int, breaker: CircuitBreakerSettings? = nil) {
        bulkhead = ConcurrencyLimit(limit, waiting: limit)
        state = Mutex(State(breaker: CircuitBreaker(breaker ?? CircuitBreakerSettings(fullConcurrency: limit), now: .now)))
    }

    var statistics: Statistics {
        let (underWay, waiting) = bulkhead.statistics
        return state.withLock { state in
            Statistics(
                underWay: underWay, waiting: waiting, retries: state.budget.retries,
                totalRetries: state.totalRetries, totalRefusedRetries: state.totalRefusedRetries, circuit: state.breaker.state)
        }
    }

    /// Makes a call when it is its turn, its retries included.
    ///
    /// - Returns: Nil when it was not made: too many wait, or its turn had not come when the deadline passed or the task was cancelled.
    func withCall<Value, Failure: Error>(
        until deadline: ContinuousClock.Instant, _ call: () async throws(Failure) -> Value
    ) async throws(Failure) -> Value? {
        state.withLock { $0.budget.beginCall() }
        defer { state.withLock { $0.budget.endCall() } }
        return try await bulkhead.withPermit(until: deadline, call)
    }

    /// Makes a try when the breaker admits one, and reports what it says about the callee.
    ///
    /// - Returns: Nil when it was not made.
    func withTry<Failure: Error>(_ attempt: () async throws(Failure) -> TryOutcome) async throws(Failure) -> TryOutcome? {
        guard let permit = state.withLock({ $0.breaker.admit(now: .now) }) else { return nil }
        // What is thrown was not sent.
        var verdict = CircuitBreaker.Outcome.excluded
        defer { state.withLock { $0.breaker.end(permit, verdict, now: .now) } }
        let outcome = try await attempt()
        verdict = outcome.verdict
        return outcome
    }

    /// Makes a retry, its pause included, when the budget has room for one.
    ///
    /// - Returns: Nil when it was not made, or when it returned nil.
    func withRetry<Value, Failure: Error>(_ retry: () async throws(Failure) -> Value?) async throws(Failure) -> Value? {
        let isGranted = state.withLock { state in
            let isGranted = state.budget.beginRetry()
            if isGranted { state.totalRetries += 1 } else { state.totalRefusedRetries += 1 }
            return isGranted
        }
        guard isGranted else { return nil }
        defer { state.withLock { $0.budget.endRetry() } }
        return try await retry()
    }
}
