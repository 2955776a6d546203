import APIService
import Contracts
package import EventConsumption
import Fleet
package import HTTPService
import Observability
package import Postgres
import ServiceDatabase
package import ServiceRuntime

/// Builds every object of ops-risk once, in order of dependency.
package enum OpsRisk: EventConsumingService {
    package static let name = FleetService.opsRisk.name

    package static func compose(_ settings: OpsRiskConfiguration, _ context: ProcessContext) async throws -> ComposedProcess {
        let service = try APIService(settings.service, connections: settings.poolSize, context)
        let pool = service.database.pool
        let metrics = OpsRiskMetrics(context.metrics)
        let consumer = try EventConsumer(
            LedgerEvents.subscription(JudgeDebits(rules: settings.rules, metrics: metrics, now: Timestamp.now)), settings.consumption,
            broker: settings.broker, database: service.database, context)
        let retention = settings.retention
        let debitExpiry = RowExpiry(
            of: "debits", pool: pool, pause: .seconds(10), clock: service.database.clock, logger: context.logger
        ) { session, count in
            try DebitStore().prune(session, retention, atMost: count)
        }
        let watch = AlertWatch(pool: pool, metrics: metrics, logger: context.logger)
        return try await service.process(
            endpoints: endpoints(pool: pool), mapError: riskProblem,
            serving: [service.keyExpiry(of: ResolveOutcome.self), debitExpiry, watch, consumer], healthChecks: [consumer.healthCheck])
    }

    /// Also for the commands over dead letters, which count nothing.
    package static func subscription(_ settings: OpsRiskConfiguration, _: ProcessContext) throws -> EventSubscription {
        try LedgerEvents.subscription(JudgeDebits(rules: settings.rules, metrics: nil, now: Timestamp.now))
    }

    /// Every route, for the router and for the test that compares them with the OpenAPI document.
    package static func endpoints(pool: PostgresPool) -> [Endpoint] {
        AlertRoutes(list: ListAlerts(pool: pool), resolve: ResolveAlert(pool: pool, now: Timestamp.now)).endpoints
    }
}
