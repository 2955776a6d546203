package import AMQP
package import Contracts
import Fleet

/// An event as the broker carries it: CloudEvents' structured mode, the envelope whole in the body.
package enum EventMessage {
    package static let contentType = "application/cloudevents+json"

    /// - Parameters:
    ///   - envelope: The wire form of the envelope.
    ///   - id: As the envelope has it; the broker returns a message by it.
    ///   - type: Is the routing key too.
    ///   - source: The service that the event is of; its relay's is the only user that may publish it.
    package static func publication(envelope: [UInt8], id: EventID, type: String, source: String, time: Timestamp) -> AMQPPublication {
        let message = AMQPMessage(
            body: envelope, messageID: id.description, contentType: contentType, type: type, appID: source,
            userID: FleetService.relayUser(of: source), timestamp: UInt64(max(0, time.millisecondsSinceUnixEpoch / 1_000)))
        return AMQPPublication(message, exchange: EventTopology.exchange.name, routingKey: type)
    }
}
