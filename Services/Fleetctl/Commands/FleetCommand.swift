import ArgumentParser
import Fleet

/// `fleetctl fleet`: the fleet's table for those who don't read Swift.
struct FleetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fleet", abstract: "Print the table of the fleet's services, and what is made from it.",
        subcommands: [Table.self, Permissions.self])

    struct Table: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "table", abstract: "Print what infra/fleet.tsv holds: a service a line, columns separated by tabs.")

        func run() { print(Fleet.table, terminator: "") }
    }

    struct Permissions: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "permissions", abstract: "Print what infra/rabbitmq/permissions.json holds: the rights of the broker's users.")

        func run() { print(Fleet.permissionsFile, terminator: "") }
    }
}
