internal import Glibc

/// Starts threads that may block for as long as they like: the C libraries that drivers wrap wait for their servers.
///
/// Dispatch's queues won't do: on Linux they share few workers, and a handful of connections that wait would hold up everybody else's.
package enum BlockingThread {
    private final class Start: Sendable {
        let body: @Sendable () -> Void
        init(body: @escaping @Sendable () -> Void) { self.body = body }
    }

    /// Runs `body` on a thread of its own that takes no signals, and returns when it ended.
    /// - Returns: nil when the system gives no thread.
    package static func run<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value? {
        await withCheckedContinuation { continuation in
            let isRunning = start { continuation.resume(returning: body()) }
            if !isRunning { continuation.resume(returning: nil) }
        }
    }

    /// Runs `body` on a new, detached thread that takes no signals, and returns at once.
    /// - Returns: false when the system gives no thread.
    package static func start(_ body: @escaping @Sendable () -> Void) -> Bool {
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
