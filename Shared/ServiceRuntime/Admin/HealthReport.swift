import Observability

/// What `/readyz` answers: whether this process can do useful work, and how its dependencies are.
package struct HealthReport: Sendable, Equatable {
    package enum State: String, Sendable {
        case ok
        /// It does not answer, but the process works without it; or it does only a part of what the process needs.
        case degraded
        /// It does not answer, and the process can do nothing useful without it.
        case failed
    }

    package let phase: Readiness.Phase
    /// By name, in the order in which the checks were declared.
    package let checks: [(name: String, state: State)]

    /// Asks all dependencies at once.
    package static func make(phase: Readiness.Phase, checks: [HealthCheck]) async -> HealthReport {
        let states = await withTaskGroup(of: (Int, State).self, returning: [Int: State].self) { group in
            for (index, check) in checks.enumerated() {
                group.addTask { (index, await check.ask()) }
            }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        return HealthReport(phase: phase, checks: checks.enumerated().map { ($1.name, states[$0] ?? .failed) })
    }

    /// Whether requests should come here.
    package var isReady: Bool { phase == .ready && !checks.contains { $0.state == .failed } }

    /// One word: the phase unless it is ready, otherwise the worst state.
    package var status: String {
        switch phase {
        case .starting, .draining: phase.rawValue
        case .ready:
            (checks.contains { $0.state == .failed }
                ? State.failed : checks.contains { $0.state == .degraded } ? .degraded : .ok).rawValue
        }
    }

    /// `{"status":…,"checks":{name:state}}`.
    package var json: String {
        let members = checks.map { "\(JSONText.quoted($0.name)):\"\($0.state.rawValue)\"" }
        return #"{"status":"\#(status)","checks":{\#(members.joined(separator: ","))}}"#
    }

    package static func == (left: Self, right: Self) -> Bool {
        left.phase == right.phase && left.checks.elementsEqual(right.checks, by: ==)
    }
}
