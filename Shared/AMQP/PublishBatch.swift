internal import Synchronization

/// The messages of one call to a publisher, and the caller who waits for what becomes of them.
final class PublishBatch: Sendable {
    private struct State {
        var outcomes: [PublishOutcome?]
        var isSent: [Bool]
        var missing: Int
        var continuation: CheckedContinuation<[PublishOutcome], Never>?
    }

    private let state: Mutex<State>

    init(count: Int) {
        state = Mutex(
            State(
                outcomes: Array(repeating: nil, count: count), isSent: Array(repeating: false, count: count), missing: count))
    }

    /// Settles one message; the first word counts.
    /// - Returns: whether it was the first.
    @discardableResult
    func settle(_ index: Int, _ outcome: PublishOutcome) -> Bool {
        var isFirst = false
        finish { state in
            guard state.outcomes[index] == nil else { return }
            isFirst = true
            state.outcomes[index] = outcome
            state.missing -= 1
        }
        return isFirst
    }

    /// Changes the outcomes, and answers the caller when none is missing.
    private func finish(_ change: (inout State) -> Void) {
        let finished: (CheckedContinuation<[PublishOutcome], Never>, [PublishOutcome])? = state.withLock { state in
            change(&state)
            guard state.missing == 0, let continuation = state.continuation else { return nil }
            state.continuation = nil
            return (continuation, state.outcomes.compactMap { $0 })
        }
        if let (continuation, outcomes) = finished { continuation.resume(returning: outcomes) }
    }

    /// Notes that a message is about to be sent.
    /// - Returns: false when it is settled already and must not be sent.
    func beginSending(_ index: Int) -> Bool {
        state.withLock { state in
            guard state.outcomes[index] == nil else { return false }
            state.isSent[index] = true
            return true
        }
    }

    /// Settles whatever is not settled, in one step, so that nothing is sent that was told not to be.
    /// - Returns: the outcomes given.
    func giveUp(sent doubt: PublishOutcome.Doubt, waiting reason: PublishOutcome.NotSentReason) -> [PublishOutcome] {
        var given: [PublishOutcome] = []
        finish { state in
            for index in state.outcomes.indices where state.outcomes[index] == nil {
                let outcome: PublishOutcome = state.isSent[index] ? .unknown(doubt) : .notSent(reason)
                state.outcomes[index] = outcome
                given.append(outcome)
            }
            state.missing = 0
        }
        return given
    }

    /// Every outcome, in the order of the messages.
    func outcomes() async -> [PublishOutcome] {
        await withCheckedContinuation { continuation in
            let outcomes: [PublishOutcome]? = state.withLock { state in
                if state.missing == 0 { return state.outcomes.compactMap { $0 } }
                state.continuation = continuation
                return nil
            }
            if let outcomes { continuation.resume(returning: outcomes) }
        }
    }
}

/// One message of a batch on its way through the publisher.
struct PublishTicket: Sendable {
    let batch: PublishBatch
    let index: Int
}
