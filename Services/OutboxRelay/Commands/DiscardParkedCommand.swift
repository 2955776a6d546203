import ArgumentParser
import Contracts
import ServiceRuntime

/// `discard-dead-letter`: gives one parked event up.
struct DiscardParkedCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "discard-dead-letter", abstract: "Discard a dead letter, with a note.",
        discussion: "Exit codes: 0 discarded, 1 no such dead letter, 3 the database cannot be reached, 64 wrong usage or configuration.")

    @OptionGroup var source: SourceOption
    @Option(help: "The event's id (evt_…).")
    var eventID: String
    @Option(help: "Reason, 1 to 500 characters; kept with the dead letter.")
    var note: String

    @Flag(help: "Show what would be done; change nothing.")
    var dryRun = false
    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        _ = try EventID(argument: eventID)
        guard (1...500).contains(note.count) else { throw ValidationError("--note must be 1 to 500 characters") }
    }

    func run() async throws {
        let id = try EventID(argument: eventID)
        try await ParkedDesk.ofProcess(source).discard(id, note: note, isDryRun: dryRun, json: json).exit()
    }
}
