import AMQP
import EventBroker
import Fleet
import FoundationEssentials
import Logging
import ServiceDatabase
package import ServiceRuntime

/// Builds every object of the relay once, in order of dependency.
package enum OutboxRelay: DatabaseService {
    package static let name = Fleet.relay
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
        let database = try settings.database.access(
            as: "\(name) \(source)", pool: "outbox", connections: poolSize, withoutWrites: .isUseless, context)
        let pool = database.pool
        let metrics = RelayMetrics(context.metrics)
        let publisher = try AMQPPublisher(
            configuration: settings.broker.configuration, name: "\(source)-relay", options: publisherOptions(timing), logger: context.logger,
            metrics: context.metrics)
        // Unique per process, even on the same host.
        let owner = "\(ProcessInfo.processInfo.hostName) \(UUID().uuidString)"
        let keeper = LeaseKeeper(owner: owner, pool: pool, timing: timing, logger: context.logger, lost: metrics.leasesLost) {
            publisher.status.isOpen
        }
        let loop = RelayLoop(
            source: source, owner: owner, pool: pool, publisher: publisher, keeper: keeper, maximumAttempts: settings.maximumAttempts,
            timing: timing, metrics: metrics, tracer: context.tracer, logger: context.logger)
        let housekeeping = OutboxHousekeeping(
            pool: pool, retentionDays: settings.retentionDays, metrics: metrics, clock: database.clock, logger: context.logger)
        return ComposedProcess(
            services: database.services, prerequisites: [database.prerequisite],
            serving: [publisher, keeper, housekeeping, loop, ReadinessMark(context.readiness)],
            healthChecks: [
                database.healthCheck,
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
        if let unusableReason = status.unusableReason ?? (isRefused ? "the broker refuses events" : nil) {
            throw UnreachableDependency("the broker", reason: unusableReason)
        }
    }
}
