package import ArgumentParser
internal import ServiceRuntime

/// `list-dead-letters`, the same for relays and consumers.
package struct ListDeadLettersCommand<Commands: DeadLetterCommands>: AsyncParsableCommand {
    package static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "list-dead-letters", abstract: Commands.help.list,
            discussion: "Exit codes: 0 listed, 3 the database cannot be reached, 64 wrong usage or configuration.")
    }

    @OptionGroup package var source: Commands.Source
    @OptionGroup package var selection: DeadLetterSelection

    @Option(help: "open, replayed, discarded or any.")
    package var status = DeadLetterStatus.open.rawValue

    @Flag(help: "Print JSON, one object a line.")
    package var json = false

    package init() {}

    package func validate() throws { _ = try wantedStatus() }

    package func run() async throws {
        let filter = try selection.filter(status: wantedStatus())
        try await Commands.ofProcess(source).list(filter, json: json).exit()
    }

    private func wantedStatus() throws -> DeadLetterStatus? {
        guard status != "any" else { return nil }
        guard let known = DeadLetterStatus(rawValue: status) else { throw ValidationError("--status must be open, replayed, discarded or any") }
        return known
    }
}
