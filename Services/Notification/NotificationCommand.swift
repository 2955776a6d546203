import ArgumentParser
import EventBroker
import ServiceDatabase
import ServiceRuntime

@main
struct NotificationCommand: AsyncParsableCommand {
    private typealias DeadLetters = NotificationDeadLetters

    static let configuration = CommandConfiguration(
        commandName: "notification", abstract: "Send the mails that other services ask for.",
        subcommands: [
            ServeCommand<NotificationService>.self, MigrateCommand<NotificationService>.self, ListDeadLettersCommand<DeadLetters>.self,
            ReplayDeadLettersCommand<DeadLetters>.self, DiscardDeadLetterCommand<DeadLetters>.self, ConfigCommand<NotificationService>.self,
        ],
        defaultSubcommand: ServeCommand<NotificationService>.self)
}
