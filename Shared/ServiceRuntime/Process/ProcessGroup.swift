package import Logging
package import ServiceLifecycle
import UnixSignals

/// The services of a process, started together and drained in reverse order.
package struct ProcessGroup: Sendable {
    /// What is left after the drain time-out is cancelled, and given this long to notice.
    private static let cancellationTimeout = Duration.seconds(5)

    private let group: ServiceGroup
    private let readiness: Readiness

    /// - Parameters:
    ///   - services: In order of dependency: the first is drained last.
    ///   - trapsSignals: Whether SIGTERM and SIGINT start the drain; a process does, a test must not.
    package init(
        services: [any Service], readiness: Readiness, drainDelay: Duration, drainTimeout: Duration, trapsSignals: Bool, logger: Logger
    ) {
        // Drained first, as the last one: nothing stops answering before the platform can know.
        let announcement = DrainAnnouncement(readiness: readiness, delay: drainDelay, logger: logger)
        var configuration = ServiceGroupConfiguration(
            services: services + [announcement], gracefulShutdownSignals: trapsSignals ? [.sigterm, .sigint] : [], logger: logger)
        configuration.maximumGracefulShutdownDuration = drainDelay + drainTimeout
        configuration.maximumCancellationDuration = Self.cancellationTimeout
        self.group = ServiceGroup(configuration: configuration)
        self.readiness = readiness
    }

    /// Runs until the services have drained.
    ///
    /// - Throws: The error of the first service that fails, after the others have been cancelled.
    package func run() async throws {
        defer { readiness.drain() }
        try await group.run()
    }

    /// Starts the drain, as SIGTERM does.
    package func drain() async {
        await group.triggerGracefulShutdown()
    }
}

/// Says that the process drains, and holds the drain up until the platform has had time to hear it.
private struct DrainAnnouncement: Service {
    let readiness: Readiness
    let delay: Duration
    let logger: Logger

    func run() async throws {
        try? await gracefulShutdown()
        guard !Task.isCancelled else { return }
        readiness.drain()
        logger.info("draining")
        try? await ContinuousClock().sleep(for: delay)
    }
}
