import APIService
import Fleet
import ServiceDatabase
import ServiceLifecycle
import ServiceRuntime

/// A service as small as one can be that is called and has a database.
enum ExampleService: DatabaseService {
    static let name = "identity"

    struct Settings: APIServiceConfiguration {
        static let service = APIServiceSettings.Declaration(
            FleetService(
                name: name, adminPort: 0, api: .init(port: 0, callers: ["api-gateway"]), database: .init(variable: "IDENTITY_DATABASE_URL")),
            shared: [])
        static let declared = service.declared
        static let defaultAdminPort = 0

        let service: APIServiceSettings

        init(_ values: SettingValues) throws(InvalidConfiguration) { service = try Self.service.settings(values) }
    }

    struct Worker: Service {
        func run() async throws { try await gracefulShutdown() }
    }

    static func compose(_ settings: Settings, _ context: ProcessContext) async throws -> ComposedProcess {
        let service = try APIService(settings.service, connections: 2, context)
        return try await service.process(
            endpoints: [], mapError: { _ in nil }, prerequisites: [Prerequisite("elsewhere") {}],
            serving: [Worker()], healthChecks: [HealthCheck(name: "worker", critical: false) {}])
    }
}
