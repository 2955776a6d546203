import ArgumentParser
import EventBroker
import ServiceRuntime

/// `replay-dead-letters`: publishes parked events once more.
struct ReplayParkedCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay-dead-letters", abstract: "Publish dead letters again.",
        discussion: """
            Events claimed by another replay, including one interrupted less than a minute ago, are skipped. Exit codes: 0 all published, \
            1 some failed again, are claimed by another run or are too old, 3 the database or the broker cannot be reached, 64 wrong usage or \
            configuration.
            """)

    @OptionGroup var source: SourceOption
    @OptionGroup var selection: ParkedSelection
    @Flag(help: "Show what would be done; change nothing.")
    var dryRun = false
    @Flag(help: "Include events older than \(ReplayAge.text), which consumers may already have applied.")
    var force = false
    @Flag(help: "Print JSON: one object for each that was not published, and one for the run.")
    var json = false

    func run() async throws {
        let selection = try selection.selection(now: ParkedDesk.now())
        try await ParkedDesk.ofProcess(source).replay(selection, isForced: force, isDryRun: dryRun, json: json).exit()
    }
}
