import Contracts

/// The reader of events: what it takes is written so that it is read as the same again, and a fault repeats nothing of the input.
enum EventTarget {
    /// Escapes can make a text three times as long, and the bound on events is none of what is asked here.
    private static let longest = EventEnvelope.maximumBytes / 4

    static func run(_ bytes: [UInt8]) throws(BrokenProperty) {
        guard let envelope = try read(bytes) else { return }
        if let payload = try quietly({ () throws(EventFault) in try envelope.anyPayload() }) { try check(payload, in: envelope) }
        guard bytes.count <= longest else { return }
        let written = envelope.wireBytes()
        guard let again = try read(written) else { throw BrokenProperty(description: "what was written can't be read") }
        try BrokenProperty.unless(again == envelope, "read again it is another event")
        try BrokenProperty.unless(again.wireBytes() == written, "written again it is another text")
    }

    private static func check<Payload: EventPayload>(_ payload: Payload, in envelope: EventEnvelope) throws(BrokenProperty) {
        try BrokenProperty.unless(payload.type.rawValue == envelope.type, "a payload of another type")
        guard
            let again = try? EventEnvelope(payload, id: envelope.id, time: envelope.time, traceparent: envelope.traceparent),
            let same = try? again.payload(as: Payload.self)
        else { throw BrokenProperty(description: "the payload can't be read again") }
        try BrokenProperty.unless(same == payload, "read again it is another payload")
    }

    private static func read(_ bytes: [UInt8]) throws(BrokenProperty) -> EventEnvelope? {
        let envelope = try quietly { () throws(EventFault) in try EventEnvelope(reading: bytes) }
        try BrokenProperty.unless(envelope == nil || bytes.count <= EventEnvelope.maximumBytes, "larger than the limit")
        return envelope
    }

    /// The value, or nil when it was refused in words of our own only: those are short and ASCII.
    private static func quietly<Value>(_ body: () throws(EventFault) -> Value) throws(BrokenProperty) -> Value? {
        let fault: EventFault
        do throws(EventFault) { return try body() } catch { fault = error }
        let text = fault.description
        try BrokenProperty.unless(text.utf8.count <= 250 && text.utf8.allSatisfy { (0x20...0x7E).contains($0) }, "it quotes: \(text)")
        return nil
    }
}
