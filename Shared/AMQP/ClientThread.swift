internal import BlockingCalls
internal import ServiceLifecycle

/// Runs a client's loop on a thread of its own, and looks after its watchdog meanwhile.
enum ClientThread {
    private static let lookInterval = Duration.milliseconds(200)
    /// A connection that lived longer than this was a good one; the next attempt to connect is a first again.
    static let goodLife = Duration.seconds(5)

    /// Returns when the loop ended.
    /// - Parameter stop: told once, at graceful shutdown or cancellation, so that the loop ends.
    /// - Throws: `connectFailed` when the system gives no thread.
    static func run(
        watchdog: CallWatchdog, stop: @escaping @Sendable () -> Void, loop: @escaping @Sendable () -> Void
    ) async throws(AMQPError) {
        let ending = ThreadExit()
        let isRunning = await withTaskCancellationOrGracefulShutdownHandler {
            async let thread: Bool = {
                let hasRun = await BlockingThread.run {
                    loop()
                    return true
                }
                ending.set()
                return hasRun ?? false
            }()
            while !ending.isSet {
                // In a task of its own, because it must go on while the loop drains after a cancellation.
                await Task { try? await Task.sleep(for: lookInterval) }.value
                watchdog.cutIfStalled()
            }
            return await thread
        } onCancelOrGracefulShutdown: {
            stop()
        }
        guard isRunning else { throw AMQPError(.connectFailed, "no thread for a connection") }
    }
}
