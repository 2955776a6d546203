import Logging
import ServiceLifecycle
import UnixSignals

/// The services of a process, started together and drained in reverse order.
package struct ProcessGroup: Sendable {
    /// What is left after the drain time-out is cancelled, and given this long to notice.
    package static let cancellationTimeout = Duration.seconds(5)

    private let group: ServiceGroup
    private let readiness: Readiness
    private let hardEnd: HardEnd

    /// - Parameters:
    ///   - services: In order of dependency: the first is drained last.
    ///   - held: What comes after them, once what it needs has answered.
    ///   - trapsSignals: Whether SIGTERM and SIGINT start the drain; a process does, a test must not.
    ///   - cancellationTimeout: How long what is cancelled may take to notice.
    ///   - cutOff: Ends the process, where something does not notice.
    init(
        services: [any Service], held: PrerequisiteGate? = nil, readiness: Readiness, drainDelay: Duration, drainTimeout: Duration,
        trapsSignals: Bool,
        logger: Logger,
        cancellationTimeout: Duration = cancellationTimeout, cutOff: @escaping @Sendable () -> Void = HardEnd.exit
    ) {
        let hardEnd = HardEnd(afterCancellation: cancellationTimeout, logger: logger, cutOff: cutOff)
        // Drained first, as the last one: nothing stops answering before the platform can know.
        let announcement = DrainAnnouncement(
            readiness: readiness, delay: drainDelay, logger: logger, hardEnd: hardEnd, limit: drainDelay + drainTimeout)
        var all = services
        if let held { all.append(held.watched(by: hardEnd)) }
        all.append(announcement)
        var configuration = ServiceGroupConfiguration(
            services: all.map(hardEnd.watching),
            gracefulShutdownSignals: trapsSignals ? [.sigterm, .sigint] : [],
            logger: logger)
        // Not `maximumCancellationDuration`, which ends the process with a crash.
        configuration.maximumGracefulShutdownDuration = drainDelay + drainTimeout
        self.group = ServiceGroup(configuration: configuration)
        self.readiness = readiness
        self.hardEnd = hardEnd
    }

    /// Runs until the services have drained.
    ///
    /// - Throws: The error of the first service that fails, after the others have been cancelled.
    package func run() async throws {
        defer {
            readiness.drain()
            hardEnd.disarm()
        }
        try await group.run()
    }

    /// Starts the drain, as SIGTERM does.
    package func drain() async {
        await group.triggerGracefulShutdown()
    }
}

/// Fails readiness, then waits for the load balancer to notice before draining.
private struct DrainAnnouncement: Service {
    let readiness: Readiness
    let delay: Duration
    let logger: Logger
    let hardEnd: HardEnd
    let limit: Duration

    func run() async throws {
        try? await gracefulShutdown()
        guard !Task.isCancelled else { return }
        hardEnd.drain(limit: limit)
        readiness.drain()
        logger.info("draining")
        try? await ContinuousClock().sleep(for: delay)
    }
}
