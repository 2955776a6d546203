internal import Synchronization

/// Bounds how many do something at once in a process; a few more wait for their turn, first come, first served, until their deadline.
package final class ConcurrencyLimit: Sendable {
    private struct State {
        var bulkhead: Bulkhead
        var lastCaller = 0
        /// Of those who wait for their turn; finished when it comes.
        var turns: [Int: AsyncStream<Never>.Continuation] = [:]
        var totalRefused = 0
    }

    private enum Arrival {
        case admitted
        case refused
        case waits(caller: Int, turn: AsyncStream<Never>)
    }

    private let state: Mutex<State>

    /// - Parameters:
    ///   - limit: Under way at once.
    ///   - waitingLimit: Waiting for their turn at once; who comes then is refused.
    package init(_ limit: Int, waiting waitingLimit: Int) {
        state = Mutex(State(bulkhead: Bulkhead(limit: limit, waitingLimit: waitingLimit)))
    }

    /// How many there are now.
    package var statistics: (underWay: Int, waiting: Int) { state.withLock { ($0.bulkhead.held, $0.bulkhead.waiting.count) } }

    /// How many there were whose work was not done.
    package var totalRefused: Int { state.withLock { $0.totalRefused } }

    /// Does the work when it is its turn.
    ///
    /// - Returns: Nil when it was not done: too many wait, or its turn had not come when the deadline passed or the task was cancelled.
    package func withPermit<Value, Failure: Error>(
        until deadline: ContinuousClock.Instant, _ work: () async throws(Failure) -> Value
    ) async throws(Failure) -> Value? {
        guard await enter(until: deadline) else {
            state.withLock { $0.totalRefused += 1 }
            return nil
        }
        defer { leave() }
        return try await work()
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
