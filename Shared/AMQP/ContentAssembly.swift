internal import CRabbitMQ

/// Puts a message together from the frames that carry it: method, header, any number of bodies (AMQP 0-9-1, 4.2.6).
///
/// librabbitmq would do it too (`amqp_read_message`), but waits for the frames without a deadline.
struct ContentAssembly {
    /// RabbitMQ's own limit; a header that announces more is not believed.
    static let largestBody: UInt64 = 512 * 1024 * 1024
    private static let largestReservation = 1024 * 1024

    private enum Carrier {
        case returned(ReturnedMessage)
        case delivered(DeliveredMessage)
    }

    private var carrier: Carrier?
    private var message: AMQPMessage?
    private var missing: UInt64 = 0

    mutating func begin(_ returned: ReturnedMessage) { carrier = .returned(returned) }
    mutating func begin(_ delivered: DeliveredMessage) { carrier = .delivered(delivered) }

    /// Forgets a message that will not be finished, because its channel is closed.
    mutating func reset() { self = ContentAssembly() }

    /// - Returns: the event, when a header alone completes it.
    mutating func header(_ properties: amqp_basic_properties_t, bodySize: UInt64) throws(AMQPError) -> IncomingEvent? {
        guard carrier != nil, message == nil, bodySize <= Self.largestBody else { throw Self.unexpected }
        var message = AMQPMessage(properties)
        message.body.reserveCapacity(min(Int(bodySize), Self.largestReservation))
        self.message = message
        missing = bodySize
        return finished()
    }

    mutating func body(_ fragment: amqp_bytes_t) throws(AMQPError) -> IncomingEvent? {
        guard message != nil, UInt64(fragment.len) <= missing else { throw Self.unexpected }
        message?.body.append(contentsOf: UnsafeRawBufferPointer(start: fragment.bytes, count: fragment.len))
        missing -= UInt64(fragment.len)
        return finished()
    }

    private mutating func finished() -> IncomingEvent? {
        guard missing == 0, let message, let carrier else { return nil }
        reset()
        switch carrier {
        case .returned(var returned):
            returned.messageID = message.messageID
            return .returned(returned)
        case .delivered(var delivered):
            delivered.message = message
            return .delivered(delivered)
        }
    }

    private static var unexpected: AMQPError { AMQPError(.connectionLost, "the broker sent a message's frames out of order") }
}
