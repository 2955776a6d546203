import ArgumentParser
import Contracts
import Outbox
import ServiceRuntime

/// Which dead letters of the relay an operator means: events that were parked after their last attempt.
struct ParkedSelection: ParsableArguments {
    @Option(help: "Maximum number of events.")
    var limit = 200

    @Option(help: "Only the event with this id (evt_...).")
    var eventID: String?

    @Option(help: "Only events of this type.")
    var type: String?

    @Option(help: "Only events that first failed after: a time like 2026-11-21T05:00:00Z, or how long ago, like 90m or 24h.")
    var since: String?

    func validate() throws { _ = try selection(now: ParkedDesk.now()) }

    /// - Throws: `ValidationError`, which ends a command with 64.
    func selection(now: Timestamp) throws -> HeldStore.Selection {
        guard (1...10_000).contains(limit) else { throw ValidationError("--limit must be 1 to 10000") }
        var selection = HeldStore.Selection(type: type, limit: limit)
        if let eventID { selection.eventID = try EventID(argument: eventID) }
        if let since {
            guard let time = OperatorTime.parse(since, now: now) else { throw ValidationError("--since must be a time or a duration") }
            selection.since = time
        }
        return selection
    }
}

extension EventID {
    /// - Throws: `ValidationError`, which ends a command with 64.
    init(argument: String) throws {
        guard let id = EventID(argument) else { throw ValidationError("--event-id must be an event id (evt_...)") }
        self = id
    }
}
