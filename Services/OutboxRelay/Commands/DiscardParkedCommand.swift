import ArgumentParser
import Contracts
import Outbox
import Postgres
import ServiceRuntime

/// `discard-dead-letter`: gives one parked event up.
struct DiscardParkedCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "discard-dead-letter", abstract: "Give up an event that could not be published, and keep why.",
        discussion: "Exit codes: 0 discarded, 1 no such dead letter, 3 the database cannot be reached, 64 wrong usage or configuration.")

    @OptionGroup var source: SourceOption
    @Option(help: "The event's id (evt_…).")
    var eventID: String
    @Option(help: "Why it is given up; 1 to 500 characters.")
    var note: String

    func validate() throws {
        guard EventID(eventID) != nil else { throw ValidationError("--event-id is no event's id") }
        guard (1...500).contains(note.count) else { throw ValidationError("--note is a text of 1 to 500 characters") }
    }

    func run() async throws {
        guard let id = EventID(eventID) else { return }
        let note = note
        try await OutboxRelay.perform(environment: source.environment) { settings, context in
            let pool = try await settings.pool(for: "discard-dead-letter", context)
            let isDiscarded = try await pool.withSession { session in try HeldStore().discard(session, eventID: id, note: note) }
            await pool.close()
            print(isDiscarded ? "discarded \(id)" : "\(id) is no dead letter of the relay of \(settings.source.rawValue)")
            return isDiscarded ? .success : .failure
        }.exit()
    }
}
