package import ArgumentParser
internal import FoundationEssentials
internal import Postgres
internal import ServiceRuntime

/// `migrate`, the same for every service: stamps the database as the service's and applies what is missing; run as the owner's role.
package struct MigrateCommand<Service: DatabaseService>: AsyncParsableCommand {
    package static var configuration: CommandConfiguration {
        CommandConfiguration(commandName: "migrate", abstract: "Apply migrations, as the owner role.")
    }

    package init() {}

    package func run() async throws {
        try await Service.perform(environment: ProcessInfo.processInfo.environment) { settings, context in
            let applied = try await settings.database.migrate(as: "\(Service.name) migrate", context.logger)
            for migration in applied { print("applied \(migration.file)") }
            print(applied.isEmpty ? "the schema is up to date" : "\(applied.count) migrations applied")
            return .success
        }.exit()
    }
}
