package import ServiceLifecycle

/// What a composition has built, ready to run.
package struct ComposedProcess: Sendable {
    /// In order of dependency: the first is drained last. The runtime puts the admin server before them.
    package let services: [any Service]
    /// What must answer, and be found good, before ``serving`` begins; asked in this order.
    package let prerequisites: [Prerequisite]
    /// What takes requests or works in the background; begun once the prerequisites are met, and drained before ``services``.
    package let serving: [any Service]
    package let healthChecks: [HealthCheck]

    package init(
        services: [any Service], prerequisites: [Prerequisite] = [], serving: [any Service] = [], healthChecks: [HealthCheck]
    ) {
        self.services = services
        self.prerequisites = prerequisites
        self.serving = serving
        self.healthChecks = healthChecks
    }
}
