package import ArgumentParser
internal import ServiceRuntime

/// The options that a consumer's replay has: its handlers run again, and each run is recorded.
package struct ConsumerReplayOptions: ParsableArguments, Sendable {
    @Flag(help: "Show what a replay would find: new, already applied or out of order. Change nothing.")
    package var plan = false

    @Flag(name: .customLong("dry-run"), help: "Run the handlers and roll everything back.")
    package var dryRun = false

    @Option(help: "Stop after this many events.")
    package var canary: Int?

    @Option(help: "Maximum number of events per second.")
    package var rate: Double?

    @Flag(help: "Include forged events that you have found in the producer's outbox. Recorded with the run.")
    package var genuine = false

    @Option(help: "Reason, stored with the run.")
    package var note: String?

    @Option(
        name: .customLong("requested-by"),
        help: "Who replays them, stored with the run. Default: user and host; required where the environment names no user, as in a pod.")
    package var requestedBy: String?

    package init() {}

    package func validate() throws {
        guard canary.map({ $0 > 0 }) ?? true else { throw ValidationError("--canary must be 1 or more") }
        guard rate.map({ (0.01...100_000).contains($0) }) ?? true else { throw ValidationError("--rate must be 0.01 to 100000") }
        guard !plan || !dryRun else { throw ValidationError("--plan and --dry-run are mutually exclusive") }
        try OperatorText.validate(note: note, person: requestedBy)
    }
}
