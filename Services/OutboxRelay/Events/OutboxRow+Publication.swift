import AMQP
import Contracts
import EventBroker
import Outbox
import StrictJSON

extension OutboxRow {
    /// The event as the broker carries it.
    /// - Parameter source: The service whose outbox it lies in.
    func publication(from source: String) -> AMQPPublication {
        var writer = JSONWriter()
        EventEnvelope.encode(
            into: &writer, id: eventID, source: source, type: type, subject: subject, time: occurredAt, partitionKey: partitionKey,
            traceparent: traceparent
        ) { $0.json(data) }
        return EventMessage.publication(envelope: writer.bytes, id: eventID, type: type, source: source, time: occurredAt)
    }
}
