import ArgumentParser
import EventBroker
import ServiceRuntime

@main
struct OutboxRelayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "outbox-relay", abstract: "Publish the events of one service's outbox.",
        subcommands: [
            ServeRelayCommand.self, ListDeadLettersCommand<RelayDeadLetterCommands>.self, ReplayDeadLettersCommand<RelayDeadLetterCommands>.self,
            DiscardDeadLetterCommand<RelayDeadLetterCommands>.self, ConfigCommand<OutboxRelay>.self,
        ],
        defaultSubcommand: ServeRelayCommand.self)
}
