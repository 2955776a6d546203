import ArgumentParser
import Outbox
import Postgres
import ServiceRuntime

/// `list-dead-letters`: the events that were parked.
struct ListParkedCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list-dead-letters", abstract: "List the events that could not be published, without what they say.",
        discussion: "Exit codes: 0 listed, 3 the database cannot be reached, 64 wrong usage or configuration.")

    @OptionGroup var source: SourceOption
    @OptionGroup var selection: ParkedSelection
    @Flag(help: "Print JSON, one object a line.")
    var json = false

    func run() async throws {
        let (selection, json) = (selection.selection, json)
        try await OutboxRelay.perform(environment: source.environment) { settings, context in
            let pool = try await settings.pool(for: "list-dead-letters", context)
            let parked = try await pool.withSession { session in try HeldStore().parked(session, selection) }
            await pool.close()
            for one in parked { print(json ? one.json : one.line) }
            if !json { print(parked.isEmpty ? "no dead letters" : "\(parked.count) dead letters") }
            return .success
        }.exit()
    }
}
