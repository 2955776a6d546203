package import Fleet
package import HTTPService
package import ServiceDatabase
import ServiceIdentity
package import ServiceRuntime

/// The settings of every service that has an API and a database; its own come besides.
package struct APIServiceSettings: Sendable {
    /// The settings' declarations for one service.
    package struct Declaration: Sendable {
        private let schema: DatabaseSchema
        private let identity: ServiceIdentitySettings.Declaration
        private let api: InboundAPISettings.Declaration

        /// - Parameters:
        ///   - shared: The folders of `migrations/shared` that come before the service's own.
        ///   - issuesTokens: The service is the issuer of access tokens, and knows their keys itself.
        package init(_ service: FleetService, shared: [String], issuesTokens: Bool = false) {
            schema = DatabaseSchema(service: service.name, shared: shared)
            identity = ServiceIdentitySettings.Declaration(service: service.name)
            api = InboundAPISettings.Declaration(port: service.apiPort, issuesTokens: issuesTokens)
        }

        package var declared: [any SettingDeclaration] { schema.declared + identity.declared + api.declared }

        /// - Throws: ``InvalidConfiguration`` when settings do not go together.
        package func settings(_ values: SettingValues) throws(InvalidConfiguration) -> APIServiceSettings {
            APIServiceSettings(database: schema.database(values), identity: identity.settings(values), api: try api.settings(values))
        }
    }

    package let database: ServiceDatabase
    let identity: ServiceIdentitySettings
    package let api: InboundAPISettings
}

/// The configuration of a service that has an API and a database.
package protocol APIServiceConfiguration: DatabaseServiceConfiguration {
    var service: APIServiceSettings { get }
}

extension APIServiceConfiguration {
    package var database: ServiceDatabase { service.database }
}
