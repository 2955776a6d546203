import ArgumentParser

/// `fleetctl load`: the generators of the benchmark.
struct LoadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load", abstract: "Put a service or the broker under load and print one line of JSON.",
        subcommands: [LoadLedgerCommand.self, LoadBrokerCommand.self, LoadIdentityCommand.self], defaultSubcommand: LoadLedgerCommand.self)
}
