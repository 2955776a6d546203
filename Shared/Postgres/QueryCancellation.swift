internal import BlockingCalls
internal import Dispatch
internal import Synchronization

/// Cancels a session's running statement from other threads, and only that one.
///
/// A cancel request travels on a connection of its own, so a late one could hit the next statement. A statement therefore ends only
/// when the request that was aimed at it has been delivered.
final class QueryCancellation: Sendable {
    private struct State {
        var isRunning = false
        /// Raised by task cancellation: no further statement starts.
        var isStopped = false
        var statement: UInt64 = 0
        var cancelledStatement: UInt64?
    }

    private let state = Mutex(State())
    private let handle: CancelHandle
    private let delivery = DispatchGroup()

    init(handle: CancelHandle) { self.handle = handle }

    /// Marks the start of a statement.
    /// - Throws: `cancelled` when the session was stopped, unless the statement is one that cleans up.
    func start(evenIfStopped: Bool = false) throws(PostgresError) {
        let isRefused = state.withLock { state in
            guard evenIfStopped || !state.isStopped else { return true }
            state.isRunning = true
            state.statement += 1
            return false
        }
        if isRefused { throw PostgresError(.cancelled) }
    }

    /// Marks the end of a statement, and answers whether a cancel request was aimed at it.
    func finish() -> Bool {
        let wasCancelled = state.withLock { state in
            state.isRunning = false
            return state.cancelledStatement == state.statement
        }
        if wasCancelled { delivery.wait() }
        return wasCancelled
    }

    /// Cancels the running statement and refuses further ones.
    func stop() {
        state.withLock { $0.isStopped = true }
        cancelRunning()
    }

    /// Takes back `stop()`, for the next borrower of the session.
    func allow() {
        state.withLock { $0.isStopped = false }
    }

    /// Cancels the statement that runs now, if one does; returns at once.
    func cancelRunning() {
        let isNew = state.withLock { state in
            guard state.isRunning, state.cancelledStatement != state.statement else { return false }
            state.cancelledStatement = state.statement
            delivery.enter()
            return true
        }
        guard isNew else { return }
        // PQcancel connects and waits, which must not happen on a thread of the cooperative pool.
        let isStarted = BlockingThread.start { [handle, delivery] in
            handle.cancel()
            delivery.leave()
        }
        if !isStarted { delivery.leave() }
    }
}
