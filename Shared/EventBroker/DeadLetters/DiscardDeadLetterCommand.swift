package import ArgumentParser
internal import FoundationEssentials
internal import ServiceRuntime

/// `discard-dead-letter`, the same for relays and consumers.
package struct DiscardDeadLetterCommand<Commands: DeadLetterCommands>: AsyncParsableCommand {
    package static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "discard-dead-letter", abstract: "Discard a dead letter, with a note.",
            discussion: """
                \(Commands.help.discardDiscussion) Exit codes: 0 discarded, 1 there is no such open dead letter, 3 the database cannot be \
                reached, 64 wrong usage or configuration.
                """)
    }

    @OptionGroup package var source: Commands.Source
    @OptionGroup package var selection: DeadLetterSelection

    @Option(help: "Reason, 1 to 500 characters; kept with the dead letter.")
    package var note: String

    @Option(
        name: .customLong("requested-by"),
        help: "Who discards it, stored with the dead letter. Default: user and host; required where the environment names no user, as in a pod.")
    package var requestedBy: String?

    @Flag(name: .customLong("dry-run"), help: "Show what would be done; change nothing.")
    package var dryRun = false

    @Flag(help: "Print JSON.")
    package var json = false

    package init() {}

    package func validate() throws {
        guard selection.eventID != nil || selection.id != nil else { throw ValidationError("give either --event-id or --id") }
        try OperatorText.validate(note: note, person: requestedBy)
    }

    package func run() async throws {
        let filter = try selection.filter()
        let person = try OperatorText.person(named: requestedBy, ProcessInfo.processInfo.environment, isRecorded: !dryRun)
        try await Commands.ofProcess(source).discard(filter, by: person, note: note, isDryRun: dryRun, json: json).exit()
    }
}
