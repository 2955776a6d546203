internal import Glibc

/// Starts threads that may block for as long as they like.
///
/// Dispatch's queues won't do: on Linux they share few workers, and a handful of connections that wait for their servers would hold up
/// everybody else's.
enum BlockingThread {
    private final class Start: Sendable {
        let body: @Sendable () -> Void
        init(body: @escaping @Sendable () -> Void) { self.body = body }
    }

    /// Runs `body` on a new, detached thread that takes no signals.
    /// - Returns: false when the system gives no thread.
    static func run(_ body: @escaping @Sendable () -> Void) -> Bool {
        var everySignal = sigset_t()
        var before = sigset_t()
        sigfillset(&everySignal)
        // A new thread inherits the mask: signals stay with the threads that are there for them.
        pthread_sigmask(SIG_SETMASK, &everySignal, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        let start = Unmanaged.passRetained(Start(body: body))
        var thread = pthread_t()
        let result = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Start>.fromOpaque(argument).takeRetainedValue().body()
                return nil
            }, start.toOpaque())
        guard result == 0 else {
            start.release()
            return false
        }
        pthread_detach(thread)
        return true
    }
}
