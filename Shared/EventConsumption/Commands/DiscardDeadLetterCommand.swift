package import ArgumentParser
internal import FoundationEssentials
internal import ServiceRuntime

/// `discard-dead-letter`, the same for every consumer of events.
package struct DiscardDeadLetterCommand<Service: EventConsumingService>: AsyncParsableCommand {
    package static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "discard-dead-letter", abstract: "Decide that one dead letter will never be applied.",
            discussion: """
                It stays in the database for 90 days. Exit codes: 0 discarded, 1 there is no such open dead letter, 3 the database cannot be \
                reached, 64 wrong usage or configuration.
                """)
    }

    @OptionGroup package var selection: DeadLetterSelection

    @Option(help: "Why; it stays with the dead letter.")
    package var note: String

    @Option(name: .customLong("requested-by"), help: "Who; otherwise the environment's user and the host. Required where it names none, as in a pod.")
    package var requestedBy: String?

    @Flag(name: .customLong("dry-run"), help: "Only show it.")
    package var dryRun = false

    @Flag(help: "Print JSON.")
    package var json = false

    package init() {}

    package func validate() throws {
        guard (selection.eventID == nil) != (selection.id == nil) else { throw ValidationError("name one, by --event-id or by --id") }
        try OperatorText.validate(note: note, person: requestedBy)
    }

    package func run() async throws {
        let filter = try selection.filter(now: EventClock.now())
        let person = try OperatorText.person(named: requestedBy, ProcessInfo.processInfo.environment, isRecorded: !dryRun)
        try await DeadLetterDesk<Service>.ofProcess().discard(filter, by: person, note: note, isDryRun: dryRun, json: json).exit()
    }
}
