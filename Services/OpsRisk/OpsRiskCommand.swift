import ArgumentParser
import EventConsumption
import ServiceDatabase
import ServiceRuntime

@main
struct OpsRiskCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ops-risk", abstract: "Judge what the ledger posts, and keep the alerts that operators resolve.",
        subcommands: [
            ServeCommand<OpsRisk>.self, MigrateCommand<OpsRisk>.self, ListDeadLettersCommand<OpsRisk>.self, ReplayDeadLettersCommand<OpsRisk>.self,
            DiscardDeadLetterCommand<OpsRisk>.self, ConfigCommand<OpsRisk>.self,
        ],
        defaultSubcommand: ServeCommand<OpsRisk>.self)
}
