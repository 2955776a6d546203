import ArgumentParser
import ServiceDatabase
import ServiceRuntime

@main
struct IdentityCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "identity", abstract: "Sign people and clients in, and keep their accounts, credentials and sessions.",
        subcommands: [
            ServeCommand<Identity>.self, MigrateCommand<Identity>.self, ClientsCommand.self, UsersCommand.self, KeysCommand.self,
            ConfigCommand<Identity>.self,
        ],
        defaultSubcommand: ServeCommand<Identity>.self)
}
