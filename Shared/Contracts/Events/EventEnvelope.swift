package import StrictJSON

/// What happened: CloudEvents 1.0 in JSON, as it travels through the exchange `florin.events`.
///
/// `type` is also the routing key. Order is promised within one `partitionkey` only.
package struct EventEnvelope: WireEncodable, Hashable {
    package let id: EventID
    package let source: String
    package let type: String
    package let subject: String
    package let time: Timestamp
    package let partitionKey: String
    package let traceparent: String?
    /// The payload, already JSON.
    package let data: JSONValue

    /// The event that an own payload makes; its type, subject and partition key follow from the payload.
    ///
    /// - Throws: ``JSONError`` when the payload does not write JSON within the bounds of events, which is a mistake in its encoder.
    package init(_ payload: some EventPayload, id: EventID, time: Timestamp, traceparent: String?) throws(JSONError) {
        self.init(
            id: id, source: payload.type.producer, type: payload.type.rawValue, subject: payload.subject, time: time,
            partitionKey: payload.partitionKey, traceparent: traceparent, data: try JSONParser.parse(payload.wireBytes()))
    }

    package init(
        id: EventID, source: String, type: String, subject: String, time: Timestamp, partitionKey: String, traceparent: String?,
        data: JSONValue
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
        Self.encode(
            into: &writer, id: id, source: source, type: type, subject: subject, time: time, partitionKey: partitionKey,
            traceparent: traceparent
        ) { $0.value(data) }
    }

    /// The `$id` of the schema of a type's `data`.
    static func schema(of type: String) -> String { "urn:florin:schema:\(type)" }

    /// The members in their order; an outbox keeps the payload as JSON that is written already.
    package static func encode(
        into writer: inout JSONWriter, id: EventID, source: String, type: String, subject: String, time: Timestamp, partitionKey: String,
        traceparent: String?, data: (inout JSONWriter) -> Void
    ) {
        writer.object { writer in
            writer.member("specversion", "1.0")
            writer.member("id", id.description)
            writer.member("source", source)
            writer.member("type", type)
            writer.member("subject", subject)
            writer.member("time", time.description)
            writer.member("datacontenttype", "application/json")
            writer.member("dataschema", schema(of: type))
            writer.member("partitionkey", partitionKey)
            if let traceparent { writer.member("traceparent", traceparent) }
            writer.name("data")
            data(&writer)
        }
    }
}
