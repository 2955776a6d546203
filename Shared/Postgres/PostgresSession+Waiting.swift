internal import CLibPQ
internal import Glibc

/// Every wait for the server has an end: libpq's own waits have none, so that a server that keeps its connections open and answers nothing
/// (stopped, or on a disk that hangs) would hold its clients for ever.
extension PostgresSession {
    /// What a statement does to the session, and so how it may be ended.
    enum StatementRole {
        case ordinary
        /// Never cancelled: a COMMIT that waits for its standby would answer success although it gave up waiting.
        case commit
        /// Runs although the session was stopped, and with a limit of its own: what it cleans up is often late already.
        case cleanup
    }

    /// How far the running statement is from being given up.
    struct Patience {
        /// When it is given up; once it is cancelled, how long its answer may take.
        var end: ContinuousClock.Instant
        let role: StatementRole
        var isCancelled = false
        /// For a server that is asked whether it lives.
        var failedProbes = 0
        /// Whether its time was over, rather than somebody else having cancelled it.
        var isLate = false

        init(_ role: StatementRole, limit: WaitLimit) {
            self.role = role
            let now = ContinuousClock.now
            end = role == .cleanup ? now + PostgresSession.cleanupLimit : limit.end(from: now)
        }
    }

    /// How long the answer to a cancel request is waited for; a server that works takes a millisecond.
    package static let cancelGrace = Duration.milliseconds(250)
    private static let cleanupLimit = Duration.seconds(1)
    private static let stoppedCommitLimit = Duration.seconds(1)
    /// How often a waiting statement looks whether its task was cancelled meanwhile.
    private static let lookout = Duration.milliseconds(250)

    /// Sends what libpq has buffered. Reading at the same time matters: with both directions full, a server that waits for its
    /// answers to be read and a client that waits for its requests to be taken would wait for ever.
    func flush() throws(PostgresError) {
        while true {
            switch PQflush(pointer) {
            case 0: return
            case 1: break
            default: throw lost()
            }
            let events = try wait(for: POLLIN | POLLOUT)
            if events & ~Int16(POLLOUT) != 0, PQconsumeInput(pointer) == 0 { throw lost() }
        }
    }

    /// As `PQgetResult`, which returns at once here: what it would wait for has arrived, or the connection is gone.
    func nextResult() throws(PostgresError) -> OpaquePointer? {
        while PQstatus(pointer) == CONNECTION_OK, PQisBusy(pointer) == 1 {
            if isEncrypted {
                // The rest of a TLS record may lie in the TLS library, where `poll` doesn't see it.
                guard PQconsumeInput(pointer) == 1 else { break }
                if PQisBusy(pointer) == 0 { break }
            }
            _ = try wait(for: POLLIN)
            guard PQconsumeInput(pointer) == 1 else { break }
        }
        return PQgetResult(pointer)
    }

    /// - Returns: the events that happened.
    private func wait(for events: Int32) throws(PostgresError) -> Int16 {
        while true {
            let left = patience.end - .now
            if left <= .zero {
                try giveUp()
                continue
            }
            var descriptor = pollfd(fd: PQsocket(pointer), events: Int16(events), revents: 0)
            let count = poll(&descriptor, 1, min(left, Self.lookout).wholeMilliseconds)
            if count > 0 { return descriptor.revents }
            if count < 0, errno != EINTR { throw lost() }
            lookForCancellation()
        }
    }

    /// The time is over: the statement is cancelled, and when even that changes nothing the connection is given up.
    private func giveUp() throws(PostgresError) {
        if case .whileServerLives(let interval) = limit, patience.role != .cleanup, !patience.isCancelled {
            patience.failedProbes = probe.isAnswered(within: interval / 2) ? 0 : patience.failedProbes + 1
            if patience.failedProbes < ServerProbe.attempts {
                patience.end = .now + interval
                return
            }
            markBroken()
            throw PostgresError(.connectionLost, "the server answers nobody")
        }
        guard patience.role == .ordinary, !patience.isCancelled else {
            markBroken()
            throw PostgresError(.connectionLost, "no answer in time")
        }
        patience.isLate = true
        cancellation.cancelRunning()
        awaitCancellation()
    }

    private func lookForCancellation() {
        guard !patience.isCancelled else { return }
        if cancellation.isAimed { return awaitCancellation() }
        // Nobody waits for this COMMIT any more; its outcome stays unknown when it takes long.
        if patience.role == .commit, cancellation.isStopped { patience.end = min(patience.end, .now + Self.stoppedCommitLimit) }
    }

    private func awaitCancellation() {
        patience.isCancelled = true
        patience.end = .now + Self.cancelGrace
    }
}
