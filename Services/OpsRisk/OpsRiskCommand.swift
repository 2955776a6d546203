import ArgumentParser
import EventBroker
import EventConsumption
import ServiceDatabase
import ServiceRuntime

@main
struct OpsRiskCommand: AsyncParsableCommand {
    private typealias DeadLetters = ConsumerDeadLetterCommands<OpsRisk>

    static let configuration = CommandConfiguration(
        commandName: "ops-risk", abstract: "Judge what the ledger posts, and keep the alerts that operators resolve.",
        subcommands: [
            ServeCommand<OpsRisk>.self, MigrateCommand<OpsRisk>.self, ListDeadLettersCommand<DeadLetters>.self,
            ReplayDeadLettersCommand<DeadLetters>.self, DiscardDeadLetterCommand<DeadLetters>.self, ConfigCommand<OpsRisk>.self,
        ],
        defaultSubcommand: ServeCommand<OpsRisk>.self)
}
