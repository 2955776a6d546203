/// A question to something that the process depends on; the composition asks it by a closure, for this module knows no driver.
package struct HealthCheck: Sendable {
    package static let defaultTimeout = Duration.seconds(1)

    package let name: String
    /// Whether the process can answer nothing useful without it, its own database say.
    package let isCritical: Bool
    package let timeout: Duration
    private let check: @Sendable () async throws -> Void

    /// - Parameter check: Returns when all is well and throws otherwise; it must heed cancellation, which is how its time ends.
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
        let isWell = await withTaskGroup(of: Bool.self) { group in
            group.addTask { [check] in
                do {
                    try await check()
                    return true
                } catch {
                    return false
                }
            }
            group.addTask { [timeout] in
                try? await ContinuousClock().sleep(for: timeout)
                return false
            }
            let first = await group.next() ?? false
            group.cancelAll()
            return first
        }
        return isWell ? .ok : isCritical ? .failed : .degraded
    }
}
