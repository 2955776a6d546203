import ArgumentParser
import ServiceDatabase
import ServiceRuntime

@main
struct WalletLedgerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wallet-ledger", abstract: "The source of truth for balances and transactions.",
        subcommands: [ServeCommand<WalletLedger>.self, MigrateCommand<WalletLedger>.self, VerifyCommand.self, ConfigCommand<WalletLedger>.self],
        defaultSubcommand: ServeCommand<WalletLedger>.self)
}
