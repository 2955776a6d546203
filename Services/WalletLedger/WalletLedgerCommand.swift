import ArgumentParser
import ServiceRuntime

@main
struct WalletLedgerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wallet-ledger", abstract: "The source of truth for balances and transactions.",
        subcommands: [ServeLedgerCommand.self, MigrateCommand.self, VerifyCommand.self, ConfigCommand<WalletLedger>.self],
        defaultSubcommand: ServeLedgerCommand.self)
}
