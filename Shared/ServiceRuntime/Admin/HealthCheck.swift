import Concurrency

/// A question to something that the process depends on; the composition asks it by a closure, for this module knows no driver.
package struct HealthCheck: Sendable {
    package static let defaultTimeout = Duration.seconds(1)

    package let name: String
    /// Whether the process can answer nothing useful without it, its own database say.
    package let isCritical: Bool
    package let timeout: Duration
    private let check: @Sendable () async throws -> Void

    /// What a check throws when the process can do a part of its work: reads, say, while its database takes no writes.
    package struct Degraded: Error {
        package init() {}
    }

    /// - Parameter check: Returns when all is well and throws otherwise. When its time is over it is cancelled and no longer waited for.
    package init(
        name: String, critical: Bool, timeout: Duration = HealthCheck.defaultTimeout, check: @escaping @Sendable () async throws -> Void
    ) {
        self.name = name
        self.isCritical = critical
        self.timeout = timeout
        self.check = check
    }

    /// Asks once, within the time-out.
    func ask() async -> HealthReport.State {
        await withTaskGroup(of: HealthReport.State.self) { group in
            let down: HealthReport.State = isCritical ? .failed : .degraded
            group.addTask { [check] in
                do {
                    try await AbandonableWork.outcome(of: check)
                    return .ok
                } catch is Degraded {
                    return .degraded
                } catch {
                    return down
                }
            }
            group.addTask { [timeout] in
                try? await ContinuousClock().sleep(for: timeout)
                return down
            }
            let first = await group.next() ?? down
            group.cancelAll()
            return first
        }
    }
}
