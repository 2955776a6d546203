import ArgumentParser
import Contracts
import Outbox
import Postgres
import ServiceDatabase
import ServiceRuntime

/// Which dead letters of the relay an operator means: events that were parked after their last attempt.
struct ParkedSelection: ParsableArguments {
    @Option(help: "At most so many.")
    var limit = 200

    @Option(help: "Only the event of this id (evt_…).")
    var eventID: String?

    @Option(help: "Only events of this type.")
    var type: String?

    @Option(help: "Only those that failed last at this time or later, in RFC 3339: 2026-11-21T05:00:00Z.")
    var since: String?

    func validate() throws {
        guard (1...10_000).contains(limit) else { throw ValidationError("--limit is a number from 1 to 10000") }
        if let eventID, EventID(eventID) == nil { throw ValidationError("--event-id is no event's id") }
        if let since, Timestamp(rfc3339: since, rounding: .down) == nil { throw ValidationError("--since is no time in RFC 3339") }
    }

    var selection: HeldStore.Selection {
        HeldStore.Selection(
            eventID: eventID.flatMap { EventID($0) }, type: type, since: since.flatMap { Timestamp(rfc3339: $0, rounding: .down) }, limit: limit)
    }
}

extension OutboxRelayConfiguration {
    /// A pool for a command, whose database was checked as a relay's is.
    ///
    /// - Throws: ``UnreachableDependency``, ``InvalidConfiguration``.
    func pool(for command: String, _ context: ProcessContext) async throws -> PostgresPool {
        let configuration = try database.configuration(as: "\(OutboxRelay.name) \(command)")
        try await database.check(configuration, context.logger)
        return PostgresPool(configuration: configuration, options: PoolOptions(maximumConnections: 1), logger: context.logger)
    }
}

extension HeldStore.Summary {
    var json: String {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("event_id", eventID.description)
            writer.member("type", type)
            writer.member("subject", subject)
            writer.member("outbox_id", id)
            writer.member("attempts", Int64(attempts))
            writer.member("reason", reason)
            writer.member("first_failed_at", firstFailedAt.description)
            writer.member("last_failed_at", lastFailedAt.description)
        }
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    var line: String { "\(eventID)  \(type)  \(subject)  \(attempts) attempts, last \(lastFailedAt): \(reason)" }
}
