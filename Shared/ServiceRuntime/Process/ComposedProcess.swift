package import ServiceLifecycle

/// What a composition has built, ready to run.
package struct ComposedProcess: Sendable {
    /// In order of dependency: the first is drained last. The runtime puts the admin server before them.
    package let services: [any Service]
    package let healthChecks: [HealthCheck]

    package init(services: [any Service], healthChecks: [HealthCheck]) {
        self.services = services
        self.healthChecks = healthChecks
    }
}
