package import AMQP
package import ServiceRuntime

extension UnreachableDependency {
    /// - Parameter reason: Nil when the broker says nothing.
    package init(_ broker: AMQPConfiguration, reason: String?) {
        self.init("RabbitMQ at \(broker.host):\(broker.port)", reason: reason ?? "no answer")
    }
}
