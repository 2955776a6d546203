package import ArgumentParser
internal import EventBroker
internal import FoundationEssentials
internal import ServiceRuntime

/// `replay-dead-letters`, the same for every consumer of events.
package struct ReplayDeadLettersCommand<Service: EventConsumingService>: AsyncParsableCommand {
    package static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "replay-dead-letters", abstract: "Apply dead letters again, through the same handlers, each once.",
            discussion: """
                Look at --plan first, then let --canary 1 go ahead, then replay the rest. A killed run is continued by starting another: what \
                was replayed is not taken again. Exit codes: 0 all replayed, 1 some failed again, are too old or are in the hands of another \
                run, 3 the database cannot be reached, 64 wrong usage or configuration.
                """)
    }

    @OptionGroup package var selection: DeadLetterSelection

    @Flag(help: "Only say what a replay would meet: new, already applied or out of order.")
    package var plan = false

    @Flag(name: .customLong("dry-run"), help: "Run the handlers and roll everything back.")
    package var dryRun = false

    @Option(help: "Stop after so many.")
    package var canary: Int?

    @Option(help: "Maximum number of events per second.")
    package var rate: Double?

    @Flag(help: "Take those too that are older than \(ReplayAge.text): what was applied so long ago may be forgotten.")
    package var force = false

    @Flag(help: "Take those too that their producer's relay did not publish: you have found them in its outbox. Recorded with the run.")
    package var genuine = false

    @Option(help: "Why, for the record of the run.")
    package var note: String?

    @Option(
        name: .customLong("requested-by"),
        help: "Who, for the record of the run; otherwise the environment's user and the host. Required where it names none, as in a pod.")
    package var requestedBy: String?

    @Flag(help: "Print JSON, one object a line; the last is the summary.")
    package var json = false

    package init() {}

    package func validate() throws {
        guard canary.map({ $0 > 0 }) ?? true else { throw ValidationError("--canary must be 1 or more") }
        guard rate.map({ $0 > 0 && $0 <= 100_000 }) ?? true else { throw ValidationError("--rate must be more than 0 and at most 100000") }
        guard !plan || !dryRun else { throw ValidationError("--plan and --dry-run exclude each other") }
        try OperatorText.validate(note: note, person: requestedBy)
    }

    package func run() async throws {
        let filter = try selection.filter(now: EventClock.now())
        let desk = DeadLetterDesk<Service>.ofProcess()
        if plan { return try await desk.plan(filter, json: json).exit() }
        let person = try OperatorText.person(named: requestedBy, ProcessInfo.processInfo.environment, isRecorded: !dryRun)
        let options = DeadLetterReplay.Options(
            filter: filter, canary: canary, rate: rate, isDryRun: dryRun, isForced: force, isVouchedFor: genuine, requestedBy: person, note: note)
        try await desk.replay(options, json: json).exit()
    }
}

extension DeadLetterDesk {
    /// With the process's own environment, output and terminal.
    static func ofProcess() -> DeadLetterDesk {
        DeadLetterDesk(
            environment: ProcessInfo.processInfo.environment, print: { line in Swift.print(line) }, progress: StandardError.toTerminal)
    }
}
