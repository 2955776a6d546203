internal import Synchronization

/// One caller that waits for a value; whoever settles it first decides.
final class Settlement<Value: Sendable>: Sendable {
    private enum State {
        case announced
        case waiting(CheckedContinuation<Value, any Error>)
        case settled(Result<Value, any Error>)
        case finished
    }

    private let state = Mutex(State.announced)

    /// Gives the caller its answer.
    /// - Returns: false when it already had one, and this one was not taken.
    func settle(_ result: Result<Value, any Error>) -> Bool {
        let (isTaken, continuation): (Bool, CheckedContinuation<Value, any Error>?) = state.withLock { state in
            switch state {
            case .announced:
                state = .settled(result)
                return (true, nil)
            case .waiting(let continuation):
                state = .finished
                return (true, continuation)
            case .settled, .finished:
                return (false, nil)
            }
        }
        continuation?.resume(with: result)
        return isTaken
    }

    /// Waits for the answer; called once.
    func value() async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            let early: Result<Value, any Error>? = state.withLock { state in
                switch state {
                case .settled(let result):
                    state = .finished
                    return result
                case .announced, .waiting, .finished:
                    state = .waiting(continuation)
                    return nil
                }
            }
            if let early { continuation.resume(with: early) }
        }
    }
}
