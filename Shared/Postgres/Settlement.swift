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
        guard let answer = decide(result) else { return false }
        answer()
        return true
    }

    /// The same in two steps, for who decides under a lock: the caller's cancellation waits for that lock, and being resumed for the caller's
    /// cancellation, so the second step must not be made under it.
    /// - Returns: the second step; nil when the caller already had an answer, and this one was not taken.
    func decide(_ result: Result<Value, any Error>) -> (@Sendable () -> Void)? {
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
        guard isTaken else { return nil }
        return { continuation?.resume(with: result) }
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
