package import ArgumentParser
internal import Contracts
internal import ServiceRuntime

/// The options by which an operator says which dead letters are meant.
package struct DeadLetterSelection: ParsableArguments, Sendable {
    @Option(help: "Maximum number of events, the oldest first.")
    package var limit = 200

    @Option(name: .customLong("event-id"), help: "The one with this event id (evt_...).")
    package var eventID: String?

    @Option(help: "The one with this number, as the listing shows it; for messages in which no event id could be read.")
    package var id: Int64?

    @Option(help: "Those of this event type.")
    package var type: String?

    @Option(name: .customLong("class"), help: "Those that failed so: transient, poison, refused, unsupported or forged.")
    package var kind: String?

    @Option(help: "Those that failed for the first time since: a time like 2026-11-21T05:00:00Z, or how long ago, like 90m or 24h.")
    package var since: String?

    package init() {}

    package func validate() throws { _ = try filter(now: EventClock.now()) }

    /// - Throws: `ValidationError`, which ends a command with 64.
    func filter(now: Timestamp, status: DeadLetterStatus? = .open) throws -> DeadLetterFilter {
        guard (1...DeadLetterFilter.maximumLimit).contains(limit) else {
            throw ValidationError("--limit must be 1 to \(DeadLetterFilter.maximumLimit)")
        }
        var filter = DeadLetterFilter(limit: limit, id: id, type: type, status: status)
        if let eventID {
            guard let id = EventID(eventID) else { throw ValidationError("--event-id is no id of an event (evt_...)") }
            filter.eventID = id
        }
        if let kind {
            guard let known = EventFailure.Kind(rawValue: kind) else {
                throw ValidationError("--class must be one of \(EventFailure.Kind.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            filter.kind = known
        }
        if let since {
            guard let time = OperatorTime.parse(since, now: now) else { throw ValidationError("--since is neither a time nor a duration") }
            filter.since = time
        }
        return filter
    }
}
