import Contracts
import Outbox
import Postgres

/// What happens to sessions, on its way into the outbox.
enum SessionEvents {
    /// - Throws: `PostgresError`.
    static func append(_ payloads: [some EventPayload], at now: Timestamp, traceparent: String?, _ session: PostgresSession) throws {
        var random = SystemRandomNumberGenerator()
        try OutboxWriter.append(
            payloads.map { payload in
                OutboxEvent(
                    payload, id: .new(milliseconds: now.millisecondsSinceUnixEpoch, using: &random), at: now, traceparent: traceparent)
            }, session)
    }
}
