package import StrictJSON

/// The event types of one producer; each raw value is the type and the routing key: `area.thing.happened.v1`.
package protocol EventType: RawRepresentable<String>, CaseIterable, Sendable, Hashable {
    /// The service that publishes them; the envelope's `source`.
    static var producer: String { get }
}

extension EventType {
    package var producer: String { Self.producer }
}

/// The `data` of an event, with what the envelope says of it. Its name ends in `Event`.
///
/// Within a version a payload only ever gains members, so a reader ignores those that it does not know. A member that it does know is
/// checked: one that is missing although it is required, or is of another type or out of range, makes the event unreadable.
package protocol EventPayload: WireEncodable, Hashable {
    associatedtype Name: EventType

    /// The types whose payload this is.
    static var types: [Name] { get }

    var type: Name { get }
    /// What the event is about.
    var subject: String { get }
    /// Within which events keep their order.
    var partitionKey: String { get }

    /// Reads the members of `data`.
    ///
    /// - Parameter type: the envelope's, one of ``types``.
    init(reading object: inout JSONObjectReader, type: Name) throws(RequestFault)
}

extension EventEnvelope {
    /// The payload, by its type. What the envelope says of it must be what it says itself: its subject and its partition key.
    ///
    /// - Throws: ``EventFault``: `unsupportedType` when the event is none of the payload's types, otherwise what is wrong with `data` or with
    ///   what the envelope says of it.
    package func payload<Payload: EventPayload>(as: Payload.Type = Payload.self) throws(EventFault) -> Payload {
        guard let name = Payload.Name(rawValue: type), Payload.types.contains(name) else { throw .unsupportedType }
        let payload: Payload
        do throws(RequestFault) {
            var object = try JSONObjectReader(data, pointer: "/data")
            payload = try Payload(reading: &object, type: name)
        } catch {
            throw EventFault(error)
        }
        // By bytes: what only looks the same is another.
        guard subject.utf8.elementsEqual(payload.subject.utf8) else {
            throw .member(pointer: "/subject", detail: "Does not match the payload.")
        }
        guard partitionKey.utf8.elementsEqual(payload.partitionKey.utf8) else {
            throw .member(pointer: "/partitionkey", detail: "Does not match the payload.")
        }
        return payload
    }
}
