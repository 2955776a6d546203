import ArgumentParser
import ServiceRuntime

@main
struct OutboxRelayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "outbox-relay", abstract: "Publishes the events of one service's outbox.",
        subcommands: [
            ServeRelayCommand.self, ListParkedCommand.self, ReplayParkedCommand.self, DiscardParkedCommand.self, ConfigCommand<OutboxRelay>.self,
        ],
        defaultSubcommand: ServeRelayCommand.self)
}
