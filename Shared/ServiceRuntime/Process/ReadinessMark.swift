import ServiceLifecycle

/// Says that a process is ready once it works, where no server of its own says so.
package struct ReadinessMark: Service {
    private let readiness: Readiness

    package init(_ readiness: Readiness) {
        self.readiness = readiness
    }

    package func run() async throws {
        readiness.started()
        try? await gracefulShutdown()
    }
}
