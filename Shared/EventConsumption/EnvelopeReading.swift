internal import Contracts

/// The one place where bytes become an envelope.
enum EnvelopeReading {
    static let maximumBytes = 65_536

    struct Fault: Error, CustomStringConvertible {
        let description: String
    }

    static func read(_ body: [UInt8]) throws -> EventEnvelope {
        guard body.count <= maximumBytes else { throw Fault(description: "the event has \(body.count) bytes; at most \(maximumBytes) are read") }
        guard let json = try? JSONParser.parse(body) else { throw Fault(description: "the event is not valid JSON") }
        guard let id = json["id"]?.stringValue.flatMap({ EventID($0) }), let source = json["source"]?.stringValue,
            let type = json["type"]?.stringValue, let subject = json["subject"]?.stringValue,
            let time = json["time"]?.stringValue.flatMap({ Timestamp(rfc3339: $0, rounding: .down) }),
            let partitionKey = json["partitionkey"]?.stringValue, let data = json["data"]
        else { throw Fault(description: "a member of the event is missing or wrong") }
        // Text in Postgres can't hold it.
        guard !partitionKey.utf8.contains(0) else { throw Fault(description: "the event's partition key holds a NUL") }
        return EventEnvelope(
            id: id, source: source, type: type, subject: subject, time: time, partitionKey: partitionKey,
            traceparent: json["traceparent"]?.stringValue, data: data)
    }

    /// What a payload that can't be read makes of its event.
    static func failure(of error: any Error) -> EventFailure {
        switch error {
        case let failure as EventFailure: failure
        case let fault as Fault: .poison("\(fault)")
        default: .poison("the payload can't be read: \(type(of: error))")
        }
    }
}
