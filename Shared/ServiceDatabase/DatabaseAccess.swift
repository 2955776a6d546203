package import Postgres
package import ServiceLifecycle
package import ServiceRuntime

/// A database as a running process uses it: a pool with its metrics, what watches it, and whether its clock can be believed.
package struct DatabaseAccess: Sendable {
    package let configuration: PostgresConfiguration
    package let pool: PostgresPool
    /// For further pools of the process.
    package let metrics: PoolMetrics
    package let clock: ClockWitness
    /// What must be found good before the process serves.
    package let prerequisite: Prerequisite
    private let probe: DatabaseProbe

    /// Before everything that uses the database.
    package var services: [any Service] { [probe, pool] }

    /// The check `database`.
    package var healthCheck: HealthCheck { probe.healthCheck }

    fileprivate init(
        _ database: ServiceDatabase, as application: String, pool name: String, connections: Int, withoutWrites: DatabaseProbe.WithoutWrites,
        _ context: ProcessContext
    ) throws(InvalidConfiguration) {
        configuration = try database.configuration(as: application)
        prerequisite = try database.prerequisite(configuration, context.logger)
        metrics = PoolMetrics(context.metrics)
        pool = PostgresPool(
            configuration: configuration, options: PoolOptions(maximumConnections: connections), logger: context.logger,
            onAcquire: metrics.waits(of: name))
        metrics.observe(pool, named: name, limit: connections)
        probe = DatabaseProbe(configuration, withoutWrites: withoutWrites, metrics: context.metrics)
        clock = ClockWitness(logger: context.logger, metrics: context.metrics)
    }
}

extension ServiceDatabase {
    /// Opens no connection yet: the pool does when it runs, and is asked.
    ///
    /// - Parameters:
    ///   - application: What the server shows as the connections' name.
    ///   - name: The pool's, in metrics.
    ///   - connections: Of the pool, at most.
    ///   - withoutWrites: What the process can do while the database takes none.
    /// - Throws: ``InvalidConfiguration`` when the address or the migrations can't be used.
    package func access(
        as application: String, pool name: String = "primary", connections: Int, withoutWrites: DatabaseProbe.WithoutWrites,
        _ context: ProcessContext
    ) throws(InvalidConfiguration) -> DatabaseAccess {
        try DatabaseAccess(self, as: application, pool: name, connections: connections, withoutWrites: withoutWrites, context)
    }
}
