import ArgumentParser
import ServiceRuntime

/// `list-dead-letters`: the events that were parked.
struct ListParkedCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list-dead-letters", abstract: "List events that could not be published, without their data.",
        discussion: "Exit codes: 0 listed, 3 the database cannot be reached, 64 wrong usage or configuration.")

    @OptionGroup var source: SourceOption
    @OptionGroup var selection: ParkedSelection
    @Flag(help: "Print JSON, one object a line.")
    var json = false

    func run() async throws {
        try await ParkedDesk.ofProcess(source).list(selection.selection(now: ParkedDesk.now()), json: json).exit()
    }
}
