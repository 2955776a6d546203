import AMQP
import Contracts
import EventBroker
import Outbox

extension OutboxRow {
    /// The event as the broker carries it.
    /// - Parameter source: The service whose outbox it lies in.
    func publication(from source: String) -> AMQPPublication {
        let envelope = StoredEnvelope(
            id: eventID, source: source, type: type, subject: subject, time: occurredAt, partitionKey: partitionKey, traceparent: traceparent,
            data: data)
        return EventMessage.publication(envelope: envelope.wireBytes(), id: eventID, type: type, source: source, time: occurredAt)
    }
}
