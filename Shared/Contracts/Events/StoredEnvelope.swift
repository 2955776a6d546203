/// An envelope whose payload is JSON already, as an outbox keeps it.
package struct StoredEnvelope: WireEncodable, Hashable {
    package let id: EventID
    package let source: String
    package let type: String
    package let subject: String
    package let time: Timestamp
    package let partitionKey: String
    package let traceparent: String?
    package let data: String

    package init(
        id: EventID, source: String, type: String, subject: String, time: Timestamp, partitionKey: String, traceparent: String?, data: String
    ) {
        self.id = id
        self.source = source
        self.type = type
        self.subject = subject
        self.time = time
        self.partitionKey = partitionKey
        self.traceparent = traceparent
        self.data = data
    }

    package func encode(into writer: inout JSONWriter) {
        EventEnvelope.encode(
            into: &writer, id: id, source: source, type: type, subject: subject, time: time, partitionKey: partitionKey,
            traceparent: traceparent
        ) { $0.json(data) }
    }
}
