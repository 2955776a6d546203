import ArgumentParser
import FoundationEssentials
import Postgres
import ServiceRuntime

/// `migrate`: stamps the database as the ledger's and applies what is missing; run it as the owner's role.
struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate", abstract: "Bring the database's schema up to date, as the owner's role.")

    func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        try VariableCheck.run(environment).exit()
        try await WalletLedger.perform(environment: environment) { settings, context in
            let migrator = try Migrator(folders: settings.migrationFolders)
            let isolation = DatabaseIsolation(service: WalletLedger.name)
            let applied = try await settings.withSession(settings.database(as: "wallet-ledger migrate"), context.logger) { session in
                try settings.enforce(try isolation.findings(session, phase: .migrate), context.logger)
                try isolation.stamp(session)
                return try migrator.migrate(session)
            }
            for migration in applied { print("applied \(migration.file)") }
            print(applied.isEmpty ? "the schema is up to date" : "\(applied.count) migrations applied")
            return .success
        }.exit()
    }
}
