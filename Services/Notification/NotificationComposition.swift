import Contracts
import Egress
import EventBroker
package import EventConsumption
import Fleet
import Logging
import Observability
package import Postgres
import Sealing
import ServiceDatabase
package import ServiceRuntime
package import WorkQueue

/// Builds every object of notification once, in order of dependency.
package enum NotificationService: EventConsumingService, WorkQueueService {
    package static let name = FleetService.notification.name
    /// For the consumer, the upkeep and the clock, besides one for each lane.
    private static let furtherConnections = 4
    /// How long a delivery stays that is over.
    private static let retention = Duration.seconds(90 * 86_400)

    package static func compose(_ settings: NotificationConfiguration, _ context: ProcessContext) async throws -> ComposedProcess {
        let keys = try settings.openingKeys()
        let composer = MailComposer(keys: keys, templates: try MessageTemplates(), sender: settings.sender)
        let database = try settings.database.access(
            as: name, connections: settings.lanes + furtherConnections, withoutWrites: .isUseless, context)
        let (pool, clock, logger) = (database.pool, database.clock, context.logger)
        let consumer = try EventConsumer(
            subscription(settings, context), settings.consumption, broker: settings.broker, database: database, context)
        let send = SendDelivery(pool: pool, composer: composer, client: SMTPClient(settings.server), tracer: context.tracer, now: Timestamp.now)
        let metrics = WorkMetrics(settings.queue, context.metrics)
        let upkeep = WorkUpkeep(
            settings.queue, pool: pool, clock: clock, metrics: metrics, retention: retention, logger: logger, settled: settled)
        let lanes = WorkLanes(
            settings.queue, lanes: settings.lanes, pool: pool, metrics: metrics, logger: logger, settled: settled,
            perform: { claim in await send(claim) })
        let erasure = RowExpiry(of: "texts of mails", pool: pool, pause: .seconds(10), clock: clock, logger: logger) { session, count in
            try DeliveryStore().eraseExpired(session, atMost: count)
        }
        return ComposedProcess(
            services: database.services, prerequisites: [database.prerequisite],
            serving: [ClockWatch(clock, pool: pool), upkeep, erasure, lanes, consumer, ReadinessMark(context.readiness)],
            healthChecks: [database.healthCheck, consumer.healthCheck, clock.healthCheck])
    }

    package static func subscription(_ settings: NotificationConfiguration, _: ProcessContext) throws -> EventSubscription {
        try IdentityEvents.subscription(AcceptMessages(queue: settings.queue, maximumAge: settings.maximumAge))
    }

    package static func workQueue(_ settings: NotificationConfiguration) -> WorkQueue { settings.queue }

    /// What was delivered, or never will be, needs no text any more.
    package static func settled(_ session: PostgresSession, _ ids: [Int64], _ state: WorkState) throws {
        switch state {
        case .done, .expired, .discarded: try DeliveryStore().erase(session, ids)
        case .waiting, .working, .unknown, .dead: break
        }
    }
}
