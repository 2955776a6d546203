import ArgumentParser
import EventBroker
import ServiceRuntime

/// `replay-dead-letters`: publishes parked events once more.
struct ReplayParkedCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay-dead-letters", abstract: "Publish events once more that could not be published.",
        discussion: """
            What another replay has in hand, one that was interrupted less than a minute ago say, is not published. Exit codes: 0 all \
            published, 1 some failed again, were taken by another or are too old, 3 the database or the broker cannot be reached, 64 wrong \
            usage or configuration.
            """)

    @OptionGroup var source: SourceOption
    @OptionGroup var selection: ParkedSelection
    @Flag(help: "Only say what would be published.")
    var dryRun = false
    @Flag(help: "Publish those too that are older than \(ReplayAge.text): consumers may have forgotten that they applied them.")
    var force = false
    @Flag(help: "Print JSON: one object for each that was not published, and one for the run.")
    var json = false

    func run() async throws {
        let selection = try selection.selection(now: ParkedDesk.now())
        try await ParkedDesk.ofProcess(source).replay(selection, isForced: force, isDryRun: dryRun, json: json).exit()
    }
}
