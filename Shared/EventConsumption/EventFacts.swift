internal import Contracts
internal import FoundationEssentials
import StrictJSON

/// What is known of the event in a message; of one that can't be read it may be nothing.
struct EventFacts: Sendable, Hashable {
    var eventID: UUID?
    var type: String?
    var partitionKey: String?
    var time: Timestamp?
    var traceparent: String?

    init(_ envelope: EventEnvelope) {
        eventID = envelope.id.uuid
        type = envelope.type
        partitionKey = envelope.partitionKey
        time = envelope.time
        traceparent = envelope.traceparent
    }

    /// What came from a stranger is not believed in anything: with the id of a genuine event it would take the place of that one's dead letter.
    init(forged raw: RawMessage) {
        type = raw.type
    }

    /// The id is taken from the body only: a property of the message might name another event, whose dead letter this one would hide.
    init(unreadable raw: RawMessage) {
        type = raw.type
        guard raw.body.count <= EventEnvelope.maximumBytes, let json = try? JSONParser.parse(raw.body) else { return }
        eventID = json["id"]?.stringValue.flatMap { EventID($0) }?.uuid
        type = json["type"]?.stringValue ?? raw.type
    }
}
