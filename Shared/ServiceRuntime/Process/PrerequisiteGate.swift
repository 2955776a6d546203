import Concurrency
import Logging
import ServiceLifecycle

/// Services that are held back until what they need has answered and was found good.
///
/// A process that ended instead would wait out its supervisor's growing pause, long after what it needs is back. The admin server runs
/// meanwhile, and `/readyz` says what is waited for.
struct PrerequisiteGate: Service {
    private static let backoff = Backoff(first: .milliseconds(100), maximum: .seconds(2), jitter: .half)
    /// Between two lines of the log about the same wait.
    private static let reminder = Duration.seconds(60)

    let prerequisites: [Prerequisite]
    let services: [any Service]
    let logger: Logger

    /// The same, each of the services watched.
    func watched(by hardEnd: HardEnd) -> PrerequisiteGate {
        PrerequisiteGate(prerequisites: prerequisites, services: services.map(hardEnd.watching), logger: logger)
    }

    /// - Throws: What a prerequisite is refused for; the error of the first service that fails, after the others have been cancelled.
    func run() async throws {
        for prerequisite in prerequisites {
            guard try await waitUntilMet(prerequisite) else { return }
        }
        guard !services.isEmpty else {
            try? await gracefulShutdown()
            return
        }
        try await ServiceGroup(configuration: ServiceGroupConfiguration(services: services, logger: logger)).run()
    }

    /// - Returns: false when the process ends first.
    private func waitUntilMet(_ prerequisite: Prerequisite) async throws -> Bool {
        var failures = 0
        var toldAt: ContinuousClock.Instant?
        while !Task.isShuttingDownGracefully {
            do {
                try await cancelWhenGracefulShutdown { try await AbandonableWork.outcome(of: prerequisite.check) }
                if toldAt != nil { logger.info("a prerequisite answered", metadata: ["prerequisite": "\(prerequisite.name)"]) }
                return true
            } catch let error as UnreachableDependency {
                if toldAt.map({ ContinuousClock.now - $0 >= Self.reminder }) ?? true {
                    logger.warning(
                        "waiting for a prerequisite before serving", metadata: ["prerequisite": "\(prerequisite.name)", "error": "\(error)"])
                    toldAt = .now
                }
            } catch is CancellationError {
                return false
            }
            failures += 1
            guard await Periodic.pause(for: Self.backoff.pause(after: failures)) else { return false }
        }
        return false
    }
}
