import Concurrency
import Synchronization

/// What a process allows itself towards one callee, over all its calls: how many at once, how many retries, and whether to call at all.
///
/// The decisions are those of three pure state machines, each taken under one lock with the time of that moment.
final class CalleeAdmission: Sendable {
    private struct State {
        var bulkhead: Bulkhead
        var budget = RetryBudget()
        var breaker: CircuitBreaker
        var lastCaller = 0
        /// Of those who wait for their turn; finished when it comes.
        var turns: [Int: AsyncStream<Never>.Continuation] = [:]
        var totalRetries = 0
        var totalRefusedRetries = 0
    }

    private enum Arrival {
        case admitted
        case refused
        case waits(caller: Int, turn: AsyncStream<Never>)
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

    private let state: Mutex<State>

    /// - Parameter limit: Calls under way at once; as many more wait for their turn.
    init(limit: Int, breaker: CircuitBreakerSettings? = nil) {
        state = Mutex(
            State(
                bulkhead: Bulkhead(limit: limit, waitingLimit: limit),
                breaker: CircuitBreaker(breaker ?? CircuitBreakerSettings(fullConcurrency: limit), now: .now)))
    }

    var statistics: Statistics {
        state.withLock { state in
            Statistics(
                underWay: state.bulkhead.held, waiting: state.bulkhead.waiting.count, retries: state.budget.retries,
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
        guard await enter(until: deadline) else { return nil }
        defer { leave() }
        return try await call()
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

    private func enter(until deadline: ContinuousClock.Instant) async -> Bool {
        let arrival: Arrival = state.withLock { state in
            state.lastCaller += 1
            switch state.bulkhead.arrive(state.lastCaller) {
            case .admitted: return .admitted
            case .refused: return .refused
            case .waits:
                let (turn, continuation) = AsyncStream<Never>.makeStream()
                state.turns[state.lastCaller] = continuation
                return .waits(caller: state.lastCaller, turn: turn)
            }
        }
        guard case .waits(let caller, let turn) = arrival else { return if case .admitted = arrival { true } else { false } }
        await TimeLimit.within(ContinuousClock.now.duration(to: deadline)) { for await _ in turn {} }
        // Whatever woke it, the machine says whether its turn had come: then the permit is its own.
        return state.withLock { state in
            state.turns[caller] = nil
            return !state.bulkhead.giveUp(caller)
        }
    }

    private func leave() {
        let turn = state.withLock { state in state.bulkhead.release().flatMap { state.turns.removeValue(forKey: $0) } }
        turn?.finish()
    }
}
