package import AccessTokens
package import Contracts
package import HTTPService
package import Idempotency
package import ServiceDatabase
internal import ServiceIdentity
package import ServiceLifecycle
package import ServiceRuntime

/// A service with an API and a database: what its composition has in common with every other's.
///
/// In two steps: what can be wrong with the settings is found before anything is connected to, and the endpoints need the database.
package struct APIService: Sendable {
    package let database: DatabaseAccess
    private let identity: ServiceIdentity
    private let api: InboundAPI
    private let context: ProcessContext

    /// - Parameter connections: Of the pool, at most.
    /// - Throws: ``InvalidConfiguration`` naming the setting that can't be used.
    package init(_ settings: APIServiceSettings, connections: Int, _ context: ProcessContext) throws(InvalidConfiguration) {
        database = try settings.database.access(
            as: context.service, connections: connections, withoutWrites: .answersReads, context)
        identity = try ServiceIdentity(settings.identity, service: context.service)
        api = try InboundAPI(settings.api, identity: identity)
        self.context = context
    }

    /// Deletes idempotency keys that are too old.
    package func keyExpiry<Outcome>(of _: Outcome.Type) -> RowExpiry where Outcome: IdempotentOutcome {
        RowExpiry(of: "idempotency keys", pool: database.pool, clock: database.clock, logger: context.logger) { session, count in
            try IdempotencyStore<Outcome>().expire(session, atMost: count)
        }
    }

    /// The whole process.
    ///
    /// - Parameters:
    ///   - keys: Of the access tokens, where the service issues them itself.
    ///   - mapError: The service's own errors; nil means unknown, answered 500 without detail.
    ///   - prerequisites: To be met besides the database's.
    ///   - serving: What works besides the API, in order of dependency; it begins before the API and is drained after it.
    ///   - healthChecks: Of that.
    /// - Throws: ``InvalidConfiguration``.
    package func process(
        endpoints: [Endpoint], keys: JSONWebKeySet? = nil, mapError: @escaping @Sendable (any Error) -> Problem?,
        prerequisites: [Prerequisite] = [],
        serving: [any Service], healthChecks: [HealthCheck] = []
    ) async throws -> ComposedProcess {
        let served = try await api.compose(context, endpoints: endpoints, keys: keys, mapError: mapError)
        return ComposedProcess(
            services: identity.services(context) + served.services + database.services, prerequisites: [database.prerequisite] + prerequisites,
            serving: [ClockWatch(database.clock, pool: database.pool)] + serving + [served.server],
            healthChecks: [database.healthCheck] + healthChecks + [database.clock.healthCheck] + served.healthChecks)
    }
}
