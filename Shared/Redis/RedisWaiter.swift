import Synchronization

/// One caller that waits for a reply; whoever settles it first decides.
final class RedisWaiter: Sendable {
    private enum State {
        case announced
        case waiting(CheckedContinuation<Result<RedisValue, RedisError>, Never>)
        case settled(Result<RedisValue, RedisError>)
        case finished
    }

    private let state = Mutex(State.announced)

    /// Gives the caller its answer, unless it has one.
    func settle(_ result: Result<RedisValue, RedisError>) {
        let continuation: CheckedContinuation<Result<RedisValue, RedisError>, Never>? = state.withLock { state in
            switch state {
            case .announced:
                state = .settled(result)
                return nil
            case .waiting(let continuation):
                state = .finished
                return continuation
            case .settled, .finished:
                return nil
            }
        }
        continuation?.resume(returning: result)
    }

    /// Waits for the answer; called once. Cancellation ends the wait; the command keeps its place on the connection.
    func result() async -> Result<RedisValue, RedisError> {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let early: Result<RedisValue, RedisError>? = state.withLock { state in
                    switch state {
                    case .settled(let result):
                        state = .finished
                        return result
                    case .announced, .waiting, .finished:
                        state = .waiting(continuation)
                        return nil
                    }
                }
                if let early { continuation.resume(returning: early) }
            }
        } onCancel: {
            settle(.failure(.cancelled))
        }
    }
}
