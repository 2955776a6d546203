import EventBroker
package import EventConsumption
package import HTTPService
import Idempotency
import Logging
package import Postgres
import ServiceDatabase
import ServiceIdentity
import ServiceLifecycle
package import ServiceRuntime

/// Builds every object of ops-risk once, in order of dependency.
package enum OpsRisk: EventConsumingService {
    package static let name = "ops-risk"

    package static func compose(_ settings: OpsRiskConfiguration, _ context: ProcessContext) async throws -> ComposedProcess {
        let database = try settings.database.configuration(as: name)
        let identity = try ServiceIdentity(settings.identity, service: name)
        let api = try InboundAPI(settings.api, identity: identity)
        let keys = try settings.consumption.keys()
        let prerequisite = try settings.database.prerequisite(database, context.logger)

        let pools = PoolMetrics(context.metrics)
        let pool = PostgresPool(
            configuration: database, options: PoolOptions(maximumConnections: settings.poolSize), logger: context.logger,
            onAcquire: pools.waits(of: "primary"))
        pools.observe(pool, named: "primary", limit: settings.poolSize)
        let probe = DatabaseProbe(database, withoutWrites: .answersReads, metrics: context.metrics)
        let metrics = OpsRiskMetrics(context.metrics)
        let clock = ClockWitness(logger: context.logger, metrics: context.metrics)
        let consumer = try EventConsumer(
            LedgerEvents.subscription(JudgeDebits(rules: settings.rules, metrics: metrics, now: EventClock.now)),
            broker: settings.broker.configuration, pool: pool, keys: keys, options: settings.consumption.options, clock: clock,
            logger: context.logger,
            tracer: context.tracer, metrics: context.metrics)
        let served = try await api.compose(context, endpoints: endpoints(pool: pool), mapError: riskProblem)

        let retention = settings.retention
        let keyExpiry = RowExpiry(of: "idempotency keys", pool: pool, clock: clock, logger: context.logger) { session, count in
            try IdempotencyStore<ResolveOutcome>().expire(session, atMost: count)
        }
        let debitExpiry = RowExpiry(of: "debits", pool: pool, pause: .seconds(10), clock: clock, logger: context.logger) { session, count in
            try DebitStore().prune(session, retention, atMost: count)
        }
        let watch = AlertWatch(pool: pool, metrics: metrics, logger: context.logger)
        return ComposedProcess(
            services: identity.services(context) + served.services + [probe, pool], prerequisites: [prerequisite],
            serving: [ClockWatch(clock, pool: pool), keyExpiry, debitExpiry, watch, consumer, served.server],
            healthChecks: [probe.healthCheck, consumer.healthCheck, clock.healthCheck] + served.healthChecks)
    }

    /// Also for the commands over dead letters, which count nothing.
    package static func subscription(_ settings: OpsRiskConfiguration, _: ProcessContext) throws -> EventSubscription {
        try LedgerEvents.subscription(JudgeDebits(rules: settings.rules, metrics: nil, now: EventClock.now))
    }

    /// Every route, for the router and for the test that compares them with the OpenAPI document.
    package static func endpoints(pool: PostgresPool) -> [Endpoint] {
        AlertRoutes(list: ListAlerts(pool: pool), resolve: ResolveAlert(pool: pool, now: EventClock.now)).endpoints
    }
}
