package import Contracts
package import Observability
package import Postgres
import ServiceRuntime

/// An event that was read and that its handler is to apply.
package struct ReceivedEvent<Payload: Sendable>: Sendable {
    package let id: EventID
    package let type: String
    package let source: String
    package let subject: String
    package let time: Timestamp
    package let partitionKey: String
    package let payload: Payload
    /// 1 at the first delivery.
    package let attempt: Int
    /// Of the event's processing: what it causes is a child of it. Nil when the event came without a trace.
    package let trace: TraceContext?

    /// For the outbox rows that the handler writes.
    package var traceparent: String? { trace?.traceparent }
}

/// What a consumer does with the events of one type or of several with the same payload.
package struct EventHandler: Sendable {
    package let types: [String]
    let decode: @Sendable (EventEnvelope) throws -> any Sendable
    let apply: @Sendable ([DecodedEvent], PostgresSession) throws -> Void

    /// - Parameters:
    ///   - decode: What it throws makes the event poison.
    ///   - handle: Applies events of one partition key in their order, and others in any, within the transaction that is open on the session;
    ///     it must not end it. It gets what arrived together, each event once, and one alone when some of a batch failed. What it throws
    ///     undoes them all; ``EventFailure`` says what becomes of them.
    package init<Payload: Sendable>(
        types: [String], decode: @escaping @Sendable (EventEnvelope) throws -> Payload,
        handle: @escaping @Sendable (_ events: [ReceivedEvent<Payload>], _ session: PostgresSession) throws -> Void
    ) {
        self.types = types
        self.decode = decode
        apply = { events, session in
            let received = try events.map { event in
                guard let payload = event.payload as? Payload else { throw EventFailure.poison("a payload of another handler") }
                return event.received(with: payload)
            }
            try handle(received, session)
        }
    }

    /// For a payload of the contract.
    ///
    /// - Parameter types: Those of the payload that are meant; all of them otherwise.
    package init<Payload: EventPayload>(
        for payload: Payload.Type, types: [Payload.Name] = Payload.types,
        handle: @escaping @Sendable (_ events: [ReceivedEvent<Payload>], _ session: PostgresSession) throws -> Void
    ) {
        self.init(types: types.map(\.rawValue), decode: { try $0.payload(as: Payload.self) }, handle: handle)
    }
}

/// An event with its payload read, on its way to its handler.
struct DecodedEvent: Sendable {
    let envelope: EventEnvelope
    let payload: any Sendable
    /// The place of the handler in its subscription.
    let handler: Int
    let attempt: Int
    let trace: TraceContext?

    func received<Payload: Sendable>(with payload: Payload) -> ReceivedEvent<Payload> {
        ReceivedEvent(
            id: envelope.id, type: envelope.type, source: envelope.source, subject: envelope.subject, time: envelope.time,
            partitionKey: envelope.partitionKey, payload: payload, attempt: attempt, trace: trace)
    }
}
