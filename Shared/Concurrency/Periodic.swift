import ServiceLifecycle

/// Work that a service repeats as long as its process runs.
package enum Periodic {
    /// Repeats work until the process shuts down.
    ///
    /// - Parameters:
    ///   - interval: Between the end of one run and the beginning of the next, and before the first.
    ///   - startsAtOnce: The first run waits for nothing.
    package static func run(every interval: Duration, startsAtOnce: Bool = false, _ work: () async -> Void) async {
        guard startsAtOnce else {
            while await pause(for: interval) { await work() }
            return
        }
        repeat { await work() } while await pause(for: interval)
    }

    /// Waits; a graceful shutdown or a cancellation ends it early.
    ///
    /// - Returns: false when the process shuts down.
    package static func pause(for duration: Duration) async -> Bool {
        guard !Task.isShuttingDownGracefully else { return false }
        let slept: Void? = try? await cancelWhenGracefulShutdown { try await Task.sleep(for: duration) }
        return slept != nil && !Task.isShuttingDownGracefully
    }
}
