import EventBroker
import Outbox
import Postgres

extension DeadLetterSummary {
    /// A relay's dead letter: the broker refused it in all attempts, or it can never be sent.
    init(_ event: DeferredEventStore.Summary) {
        self.init(
            id: event.id, eventID: event.eventID, type: event.type, partitionKey: event.partitionKey, occurredAt: event.occurredAt, kind: .refused,
            reason: event.reason, attempts: event.attempts, firstFailedAt: event.firstFailedAt, lastFailedAt: event.lastFailedAt,
            status: event.isDiscarded ? .discarded : .open, note: event.note, bodyKeyID: nil)
    }
}

extension DeferredEventStore {
    /// The relay's dead letters. One that was replayed is no longer among them: it is an event like any other again.
    /// - Throws: `PostgresError`.
    func deadLetters(_ session: PostgresSession, _ filter: DeadLetterFilter) throws -> [DeadLetterSummary] {
        guard filter.kind == nil || filter.kind == .refused else { return [] }
        let states: [DeferredState] =
            switch filter.status {
            case nil: [.parked, .discarded]
            case .open: [.parked]
            case .discarded: [.discarded]
            case .replayed: []
            }
        let selection = Selection(
            states: states, id: filter.id, eventID: filter.eventID, type: filter.type, since: filter.since, limit: filter.limit)
        return try parked(session, selection).map(DeadLetterSummary.init)
    }
}
