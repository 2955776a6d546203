package import ArgumentParser
internal import EventBroker
internal import FoundationEssentials
internal import ServiceRuntime

/// `replay-dead-letters`, the same for every consumer of events.
package struct ReplayDeadLettersCommand<Service: EventConsumingService>: AsyncParsableCommand {
    package static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "replay-dead-letters", abstract: "Apply dead letters again with the service's handlers, each once.",
            discussion: """
                Run --plan first, then --canary 1, then replay the rest. After a killed run start another: what was replayed is not \
                replayed again. Exit codes: 0 all replayed, 1 some failed again, are too old or are being replayed by another \
                run, 3 the database cannot be reached, 64 wrong usage or configuration.
                """)
    }

    @OptionGroup package var selection: DeadLetterSelection

    @Flag(help: "Show what a replay would find: new, already applied or out of order. Change nothing.")
    package var plan = false

    @Flag(name: .customLong("dry-run"), help: "Run the handlers and roll everything back.")
    package var dryRun = false

    @Option(help: "Stop after this many events.")
    package var canary: Int?

    @Option(help: "Maximum number of events per second.")
    package var rate: Double?

    @Flag(help: "Include events older than \(ReplayAge.text), which may already have been applied.")
    package var force = false

    @Flag(help: "Include forged events that you have found in the producer's outbox. Recorded with the run.")
    package var genuine = false

    @Option(help: "Reason, stored with the run.")
    package var note: String?

    @Option(
        name: .customLong("requested-by"),
        help: "Who replays them, stored with the run. Default: user and host; required where the environment names no user, as in a pod.")
    package var requestedBy: String?

    @Flag(help: "Print JSON, one object a line; the last is the summary.")
    package var json = false

    package init() {}

    package func validate() throws {
        guard canary.map({ $0 > 0 }) ?? true else { throw ValidationError("--canary must be 1 or more") }
        guard rate.map({ $0 > 0 && $0 <= 100_000 }) ?? true else { throw ValidationError("--rate must be more than 0 and at most 100000") }
        guard !plan || !dryRun else { throw ValidationError("--plan and --dry-run are mutually exclusive") }
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
