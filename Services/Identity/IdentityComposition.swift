import APIService
import Contracts
import Fleet
package import HTTPService
import Observability
import Postgres
import ServiceDatabase
package import ServiceRuntime

/// Builds every object of identity once, in order of dependency.
package enum Identity: DatabaseService {
    package static let name = FleetService.identity.name

    package static func compose(_ settings: IdentityConfiguration, _ context: ProcessContext) async throws -> ComposedProcess {
        let service = try APIService(settings.service, connections: settings.poolSize, context)
        let provider = Provider(
            issuer: settings.service.api.issuer, pool: service.database.pool, box: try settings.secretBox(), metrics: context.metrics,
            logger: context.logger, now: Timestamp.now)
        return try await service.process(
            endpoints: endpoints(provider), keys: provider.keySet, mapError: identityProblem, prerequisites: [provider.prerequisite],
            serving: provider.services(clock: service.database.clock, logger: context.logger))
    }

    /// Every route, for the router and for the test that compares them with the OpenAPI document.
    package static func endpoints(_ provider: Provider) -> [Endpoint] {
        provider.endpoints
    }
}
