import Contracts
import EventBroker
import EventConsumption

/// What notification does with identity's events.
enum IdentityEvents {
    /// - Parameter accept: Applied to the requests of one batch, in its transaction.
    static func subscription(_ accept: AcceptMessages) throws -> EventSubscription {
        guard let queue = EventTopology.consumer(of: NotificationService.name) else { throw NoQueue() }
        let requested = EventHandler(for: MessageRequestedEvent.self) { events, session in
            let requests = events.map { event in
                RequestedMessage(eventID: event.id, requestedAt: event.time, message: event.payload, traceparent: event.traceparent)
            }
            try accept(requests, session)
        }
        return EventSubscription(queue: queue, handlers: [requested])
    }

    private struct NoQueue: Error, CustomStringConvertible {
        let description = "the topology knows no queue of notification"
    }
}
