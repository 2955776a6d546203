/// Work that is waited for only as long as somebody wants its outcome, because it may not notice that it was cancelled: a connection
/// attempt that blocks its thread, a statement on a server that hangs.
package enum AbandonableWork {
    /// Does the work in a task of its own, which is cancelled and left behind when the caller's task is cancelled.
    ///
    /// - Throws: what `work` throws; `CancellationError`.
    package static func outcome<Value: Sendable>(of work: @escaping @Sendable () async throws -> Value) async throws -> Value {
        let (outcomes, continuation) = AsyncThrowingStream<Value, any Error>.makeStream()
        let task = Task {
            do {
                continuation.yield(try await work())
                continuation.finish()
            } catch {
                continuation.finish(throwing: error)
            }
        }
        continuation.onTermination = { _ in task.cancel() }
        for try await outcome in outcomes { return outcome }
        throw CancellationError()
    }
}
