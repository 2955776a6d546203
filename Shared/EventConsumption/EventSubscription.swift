internal import Contracts
package import EventBroker
internal import Observability
internal import ServiceRuntime

/// What one consumer of the fleet takes, and what it does with it: used by the running consumer and by the replay of its dead letters.
package struct EventSubscription: Sendable {
    package let queue: EventConsumerQueue
    package let handlers: [EventHandler]
    /// Types that reach the queue and mean nothing to this consumer: acknowledged and counted.
    package let ignored: Set<String>
    private let handlerOfType: [String: Int]
    private let origin: EventOrigin

    /// - Precondition: No type is handled twice, or handled and ignored.
    package init(queue: EventConsumerQueue, handlers: [EventHandler], ignoring ignored: Set<String> = []) {
        var handlerOfType: [String: Int] = [:]
        for (index, handler) in handlers.enumerated() {
            for type in handler.types {
                precondition(handlerOfType[type] == nil && !ignored.contains(type), "\(type) is declared twice")
                handlerOfType[type] = index
            }
        }
        self.queue = queue
        self.handlers = handlers
        self.ignored = ignored
        self.handlerOfType = handlerOfType
        origin = EventOrigin(queue)
    }

    /// The executable's name, the queue's, and the consumer's in the database.
    package var name: String { queue.service }

    /// Declared types that no binding of the queue lets through: a mistake, for a test to find.
    package var unboundTypes: [String] {
        (Array(handlerOfType.keys) + ignored).filter { !queue.takes($0) }.sorted()
    }

    enum Reading: Sendable {
        case event(DecodedEvent)
        case ignored(EventEnvelope)
        /// With as much of the event as could be read.
        case failed(EventFailure, EventFacts)
    }

    /// Reads a message as far as it goes.
    func read(_ raw: RawMessage, now: Timestamp, tracer: SpanTracer? = nil) -> Reading {
        if let refusal = origin.refusal(of: raw) { return .failed(refusal, EventFacts(forged: raw)) }
        let envelope: EventEnvelope
        do {
            envelope = try EnvelopeReading.read(raw.body)
        } catch {
            return .failed(error, EventFacts(unreadable: raw))
        }
        if let refusal = origin.refusal(of: envelope, in: raw, now: now) {
            return .failed(refusal, refusal.kind == .forged ? EventFacts(forged: raw) : EventFacts(envelope))
        }
        guard let handler = handlerOfType[envelope.type] else {
            if ignored.contains(envelope.type) { return .ignored(envelope) }
            return .failed(EnvelopeReading.failure(of: EventFault.unsupportedType), EventFacts(envelope))
        }
        do {
            let payload = try handlers[handler].decode(envelope)
            return .event(
                DecodedEvent(
                    envelope: envelope, payload: payload, handler: handler, attempt: raw.attempt,
                    trace: EventSpan.context(of: envelope, tracer)))
        } catch {
            return .failed(EnvelopeReading.failure(of: error), EventFacts(envelope))
        }
    }
}
