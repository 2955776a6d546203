internal import BlockingCalls
internal import Dispatch
internal import Synchronization

/// Cancels a session's running statement from other threads, and only that one.
///
/// A cancel request travels on a connection of its own, so a late one could hit the next statement. A statement therefore ends only
/// when the request that was aimed at it has been delivered; where that takes too long the session must not be used again.
final class QueryCancellation: Sendable {
    private struct State {
        var isRunning = false
        /// Raised by task cancellation: no further statement starts.
        var isStopped = false
        var statement: UInt64 = 0
        var cancelledStatement: UInt64?
    }

    /// What became of the cancel request that was aimed at a statement.
    enum Aim {
        case none
        case delivered
        /// It may still arrive, and hit whatever the session runs then.
        case underWay
    }

    private let state = Mutex(State())
    private let handle: CancelHandle
    private let delivery = DispatchGroup()

    init(handle: CancelHandle) { self.handle = handle }

    /// Marks the start of a statement.
    /// - Throws: `cancelled` when the session was stopped, unless the statement is one that cleans up.
    func start(as role: PostgresSession.StatementRole) throws(PostgresError) {
        let isRefused = state.withLock { state in
            guard role == .cleanup || !state.isStopped else { return true }
            state.isRunning = role == .ordinary
            state.statement += 1
            return false
        }
        if isRefused { throw PostgresError(.cancelled) }
    }

    /// Marks the end of a statement.
    /// - Parameter isAnswered: false when its connection is given up, so that nothing can be hit any more: the delivery is not waited for.
    func finish(isAnswered: Bool = true) -> Aim {
        let wasCancelled = state.withLock { state in
            state.isRunning = false
            return state.cancelledStatement == state.statement
        }
        guard wasCancelled else { return .none }
        guard isAnswered else { return .underWay }
        return delivery.wait(timeout: .now() + .seconds(Self.deliveryLimit)) == .success ? .delivered : .underWay
    }

    /// In seconds.
    private static let deliveryLimit = 1

    /// Whether a cancel request was aimed at the running statement.
    var isAimed: Bool { state.withLock { $0.isRunning && $0.cancelledStatement == $0.statement } }

    var isStopped: Bool { state.withLock { $0.isStopped } }

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
        let isStarted = Delivery.start { [handle, delivery] in
            handle.cancel()
            delivery.leave()
        }
        if !isStarted { delivery.leave() }
    }
}

/// The threads that deliver cancel requests. PQcancel knows no time-out: before a server that answers nothing each of them waits until it
/// does, so there are only so many. A statement whose request is not sent loses its connection a moment later.
private enum Delivery {
    private static let maximum = 64
    private static let underWay = Atomic(0)

    static func start(_ body: @escaping @Sendable () -> Void) -> Bool {
        guard underWay.wrappingAdd(1, ordering: .relaxed).newValue <= maximum else {
            underWay.wrappingSubtract(1, ordering: .relaxed)
            return false
        }
        let isStarted = BlockingThread.start {
            body()
            underWay.wrappingSubtract(1, ordering: .relaxed)
        }
        if !isStarted { underWay.wrappingSubtract(1, ordering: .relaxed) }
        return isStarted
    }
}
