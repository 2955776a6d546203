internal import Glibc
internal import Synchronization

/// Ends a connection from another thread when one call of librabbitmq takes too long.
///
/// The library writes without a deadline, and in 0.11 `amqp_basic_publish` waits for ever when the peer's heartbeats have stopped
/// (rabbitmq-c issue 780). A shut-down socket ends every such wait, encrypted or not, with an error.
final class CallWatchdog: Sendable {
    private struct State {
        /// A duplicate: the library closes its own descriptor when it likes, and the number could then be somebody else's.
        var descriptor: Int32 = -1
        var callEnds: ContinuousClock.Instant?
    }

    private let state = Mutex(State())
    private let limit: Duration

    /// - Parameter limit: how long one call may take.
    init(limit: Duration) { self.limit = limit }

    deinit {
        let descriptor = state.withLock { $0.descriptor }
        if descriptor >= 0 { close(descriptor) }
    }

    /// Guards this socket from now on.
    /// - Throws: `connectFailed` when the process has no descriptors left: unguarded, a call may wait for ever.
    func attach(_ socket: Int32) throws(AMQPError) {
        let duplicate = fcntl(socket, F_DUPFD_CLOEXEC, 0)
        guard duplicate >= 0 else { throw AMQPError(.connectFailed, "no descriptor to guard the connection") }
        state.withLock { state in
            if state.descriptor >= 0 { close(state.descriptor) }
            state.descriptor = duplicate
        }
    }

    /// Lets go of the socket, shut down, so that nothing waits for its peer while it is closed.
    func detach() {
        state.withLock { state in
            guard state.descriptor >= 0 else { return }
            shutdown(state.descriptor, Int32(SHUT_RDWR))
            close(state.descriptor)
            state.descriptor = -1
        }
    }

    /// Runs one call of the library.
    func guarding<Value>(_ call: () -> Value) -> Value {
        let ends = ContinuousClock.now + limit
        state.withLock { $0.callEnds = ends }
        defer { state.withLock { $0.callEnds = nil } }
        return call()
    }

    /// Ends the connection if its call is overdue. Called by somebody who never waits.
    func cutIfStalled() {
        let now = ContinuousClock.now
        state.withLock { state in
            guard let ends = state.callEnds, ends < now, state.descriptor >= 0 else { return }
            shutdown(state.descriptor, Int32(SHUT_RDWR))
            state.callEnds = nil
        }
    }
}
