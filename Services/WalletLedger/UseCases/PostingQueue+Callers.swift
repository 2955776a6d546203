import Synchronization

extension PostingQueue {
    /// A request and who waits for its outcome.
    final class Item: Sendable {
        let request: PostingRequest
        let size: Int
        let caller: Caller
        private let index: Int

        init(_ request: PostingRequest, _ caller: Caller, index: Int) {
            self.request = request
            size = request.order.size
            self.caller = caller
            self.index = index
        }

        func resume(returning outcome: PostingOutcome) { caller.resume(index, returning: outcome) }
    }

    /// Waits for the outcomes of all its requests.
    final class Caller: Sendable {
        private struct State {
            var outcomes: [PostingOutcome?]
            var missing: Int
            var continuation: CheckedContinuation<[PostingOutcome], Never>?
        }

        let deadline: ContinuousClock.Instant
        private let state: Mutex<State>

        init(count: Int, deadline: ContinuousClock.Instant) {
            self.deadline = deadline
            state = Mutex(State(outcomes: Array(repeating: nil, count: count), missing: count))
        }

        var isAnswered: Bool { state.withLock { $0.missing == 0 } }

        func wait(_ continuation: CheckedContinuation<[PostingOutcome], Never>) {
            settle { $0.continuation = continuation }
        }

        /// An outcome that comes after the deadline changes nothing.
        func resume(_ index: Int, returning outcome: PostingOutcome) {
            settle { state in
                guard state.outcomes[index] == nil else { return }
                state.outcomes[index] = outcome
                state.missing -= 1
            }
        }

        /// Answers for every request that has no outcome.
        func resumeAll(returning outcome: PostingOutcome) {
            settle { state in
                state.outcomes = state.outcomes.map { $0 ?? outcome }
                state.missing = 0
            }
        }

        /// Resumes the caller once, as soon as it waits and nothing is missing.
        private func settle(_ change: (inout sending State) -> Void) {
            let done: (CheckedContinuation<[PostingOutcome], Never>, [PostingOutcome])? = state.withLock { state in
                change(&state)
                guard state.missing == 0, let continuation = state.continuation else { return nil }
                state.continuation = nil
                return (continuation, state.outcomes.compactMap(\.self))
            }
            if let (continuation, outcomes) = done { continuation.resume(returning: outcomes) }
        }
    }
}
