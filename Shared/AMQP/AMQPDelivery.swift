/// A message that the broker handed to a consumer, and that it keeps until it is settled.
package struct AMQPDelivery: Sendable, Hashable {
    package let message: AMQPMessage
    package let exchange: String
    package let routingKey: String
    /// Whether it was handed to somebody before, perhaps in vain.
    package let isRedelivered: Bool
    package let receipt: DeliveryReceipt
}

/// By what a delivery is settled. It is void once its channel is gone: the broker then hands the message out again.
package struct DeliveryReceipt: Sendable, Hashable {
    package let tag: UInt64
    package let generation: Int
}
