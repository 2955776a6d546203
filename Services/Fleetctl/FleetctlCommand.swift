import ArgumentParser

/// The operators' tool.
@main
struct FleetctlCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fleetctl", abstract: "Operate a Florin fleet.",
        subcommands: [
            CheckDatabaseIsolationCommand.self, FleetCommand.self, TopologyCommand.self, KeysCommand.self, IssuerCommand.self,
            DemoCommand.self, LoadCommand.self,
        ])
}
