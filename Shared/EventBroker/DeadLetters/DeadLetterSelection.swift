package import ArgumentParser
internal import Contracts
internal import Observability
internal import ServiceRuntime

/// The options by which an operator selects dead letters.
package struct DeadLetterSelection: ParsableArguments, Sendable {
    @Option(help: "Maximum number of events, oldest first.")
    package var limit = 200

    @Option(name: .customLong("event-id"), help: "Only the event with this id (evt_...).")
    package var eventID: String?

    @Option(help: "Only the dead letter with this number (column ID); for messages without a readable event id.")
    package var id: Int64?

    @Option(help: "Only events of this type.")
    package var type: String?

    @Option(name: .customLong("class"), help: "Only failures of this class: transient, poison, refused, unsupported, forged or unknown.")
    package var kind: String?

    @Option(help: "Only events that first failed after: a time like 2026-11-21T05:00:00Z, or how long ago, like 90m or 24h.")
    package var since: String?

    package init() {}

    package func validate() throws { _ = try filter() }

    /// - Throws: `ValidationError`, which ends a command with 64.
    package func filter(status: DeadLetterStatus? = .open) throws -> DeadLetterFilter {
        guard (1...DeadLetterFilter.maximumLimit).contains(limit) else {
            throw ValidationError("--limit must be 1 to \(DeadLetterFilter.maximumLimit)")
        }
        guard eventID == nil || id == nil else { throw ValidationError("give either --event-id or --id") }
        guard id.map({ $0 > 0 }) ?? true else { throw ValidationError("--id must be 1 or more") }
        var filter = DeadLetterFilter(limit: limit, id: id, type: type, status: status)
        if let eventID {
            guard let id = EventID(eventID) else { throw ValidationError("--event-id must be an event id (evt_...)") }
            filter.eventID = id
        }
        if let kind {
            guard let known = DeadLetterClass(rawValue: kind) else {
                throw ValidationError("--class must be one of \(DeadLetterClass.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            filter.kind = known
        }
        if let since {
            guard let time = OperatorTime.parse(since, now: .now()) else { throw ValidationError("--since must be a time or a duration") }
            filter.since = time
        }
        return filter
    }
}
