internal import Contracts

/// Reads events as this module needs them, and says in its terms what is wrong with those that can't be read.
enum EnvelopeReading {
    static func read(_ body: [UInt8]) throws(EventFailure) -> EventEnvelope {
        let envelope: EventEnvelope
        do {
            envelope = try EventEnvelope(reading: body)
        } catch {
            throw failure(of: error)
        }
        // Postgres has no text with a NUL, and the partition key is noted with every event that is applied.
        guard !envelope.partitionKey.utf8.contains(0) else { throw .poison("the event's member /partitionkey is wrong: it holds a NUL") }
        return envelope
    }

    static func failure(of error: any Error) -> EventFailure {
        switch error {
        case let failure as EventFailure: failure
        case EventFault.unsupportedType: .unsupported("\(EventFault.unsupportedType)")
        case let fault as EventFault: .poison("\(fault)")
        // Its text may quote the event.
        default: .poison("the payload can't be read: \(type(of: error))")
        }
    }
}
