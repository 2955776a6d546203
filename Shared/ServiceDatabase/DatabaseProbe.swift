package import Observability
package import Postgres
internal import ServiceLifecycle
package import ServiceRuntime
internal import Synchronization

/// Asks a process's database how it is, for `/readyz` and for a gauge, on a connection that no request can take: a pool that slow reads
/// have emptied says nothing about the database.
///
/// Behind a pooler the connection is the probe's as well, but not the server connection that the pooler lends it.
package final class DatabaseProbe: Service {
    /// What a process can do for its callers while its database takes no writes.
    package enum WithoutWrites: Sendable {
        /// Reads are still answered, and no other replica could do more: ready, and degraded.
        case answersReads
        /// Nothing: not ready.
        case isUseless
    }

    private let pool: PostgresPool
    private let withoutWrites: WithoutWrites
    private let isReadOnly = Atomic<Bool>(false)

    package init(_ configuration: PostgresConfiguration, withoutWrites: WithoutWrites, metrics: PrometheusRegistry) {
        // Without a logger: the pools that do the work say what is wrong.
        pool = PostgresPool(
            configuration: configuration,
            options: PoolOptions(maximumConnections: 1, acquireTimeout: HealthCheck.defaultTimeout, drainTimeout: .seconds(1)))
        self.withoutWrites = withoutWrites
        metrics.observe("database_read_only", .gauge, "1 when the database took no writes when /readyz last asked, otherwise 0.") { [self] in
            isReadOnly.load(ordering: .relaxed) ? 1 : 0
        }
    }

    package func run() async throws { try await pool.run() }

    /// The check `database`: failed when the database does not answer.
    package var healthCheck: HealthCheck {
        HealthCheck(name: "database", critical: true) { [self] in
            let takesWrites: Bool
            do {
                takesWrites = try await pool.withSession { session in try session.takesWrites() }
            } catch {
                isReadOnly.store(false, ordering: .relaxed)
                throw error
            }
            isReadOnly.store(!takesWrites, ordering: .relaxed)
            guard !takesWrites else { return }
            switch withoutWrites {
            case .answersReads: throw HealthCheck.Degraded()
            case .isUseless: throw TakesNoWrites()
            }
        }
    }

    private struct TakesNoWrites: Error {}
}
