import AMQP
import EventBroker
import FoundationEssentials
import Logging
import Postgres
import ServiceDatabase
package import ServiceRuntime

/// Builds every object of the relay once, in order of dependency.
package enum OutboxRelay: DatabaseService {
    package static let name = "outbox-relay"
    /// For the loop, the leases, and the housekeeping.
    private static let poolSize = 4

    /// The variable of the source's database is the relay's own.
    package static func databaseOwner(_ environment: [String: String]) throws(InvalidConfiguration) -> String {
        let source = OutboxRelayConfiguration.source
        return try SettingsReader(environment: environment).read([source])[source].rawValue
    }

    package static func compose(_ settings: OutboxRelayConfiguration, _ context: ProcessContext) async throws -> ComposedProcess {
        let timing = settings.timing
        let source = settings.source.rawValue
        let database = try settings.database.configuration(as: "\(name) \(source)")
        let prerequisite = try settings.database.prerequisite(database, context.logger)

        let pools = PoolMetrics(context.metrics)
        let pool = PostgresPool(
            configuration: database, options: PoolOptions(maximumConnections: poolSize), logger: context.logger,
            onAcquire: pools.waits(of: "outbox"))
        pools.observe(pool, named: "outbox", limit: poolSize)
        let probe = DatabaseProbe(database, withoutWrites: .isUseless, metrics: context.metrics)
        let metrics = RelayMetrics(context.metrics)
        let publisher = try AMQPPublisher(
            configuration: settings.broker.configuration, name: "\(source)-relay", options: publisherOptions(timing), logger: context.logger,
            metrics: context.metrics)
        // Of this process and of no later one, whatever its host is called.
        let owner = "\(ProcessInfo.processInfo.hostName) \(UUID().uuidString)"
        let keeper = LeaseKeeper(owner: owner, pool: pool, timing: timing, logger: context.logger, lost: metrics.leasesLost) {
            publisher.status.isOpen
        }
        let loop = RelayLoop(
            source: source, owner: owner, pool: pool, publisher: publisher, keeper: keeper, maximumAttempts: settings.maximumAttempts,
            timing: timing, metrics: metrics, tracer: context.tracer, logger: context.logger)
        let clock = ClockWitness(logger: context.logger, metrics: context.metrics)
        let housekeeping = OutboxHousekeeping(
            pool: pool, retentionDays: settings.retentionDays, metrics: metrics, clock: clock, logger: context.logger)
        return ComposedProcess(
            services: [probe, pool], prerequisites: [prerequisite],
            serving: [publisher, keeper, housekeeping, loop, ReadinessMark(context.readiness)],
            healthChecks: [
                probe.healthCheck,
                HealthCheck(name: "broker", critical: false) { try check(publisher.status, isRefused: metrics.isRefused) },
            ])
    }

    static func publisherOptions(_ timing: RelayTiming) -> PublisherOptions {
        PublisherOptions(
            maximumUnconfirmed: RelayLimits.unconfirmed, maximumQueued: RelayLimits.window, publishTimeout: timing.publish,
            maximumMessageBytes: RelayLimits.messageBytes)
    }

    /// A broker that lets the relay in may refuse what it publishes: a right is missing, the exchange, or room in a queue.
    static func check(_ status: AMQPConnectionStatus, isRefused: Bool) throws {
        if let hindrance = status.hindrance ?? (isRefused ? "it refuses events" : nil) {
            throw UnreachableDependency("the broker", reason: hindrance)
        }
    }
}
