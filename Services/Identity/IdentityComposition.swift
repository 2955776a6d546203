import APIService
import Contracts
import Fleet
package import HTTPService
package import Postgres
import ServiceDatabase
package import ServiceRuntime

/// Builds every object of identity once, in order of dependency.
package enum Identity: DatabaseService {
    package static let name = FleetService.identity.name

    package static func compose(_ settings: IdentityConfiguration, _ context: ProcessContext) async throws -> ComposedProcess {
        let service = try APIService(settings.service, connections: settings.poolSize, context)
        return try await service.process(
            endpoints: endpoints(pool: service.database.pool), mapError: { _ in nil }, serving: [], healthChecks: [])
    }

    /// Every route, for the router and for the test that compares them with the OpenAPI document.
    package static func endpoints(pool: PostgresPool) -> [Endpoint] {
        []
    }
}
