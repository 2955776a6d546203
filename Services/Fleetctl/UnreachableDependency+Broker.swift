import AMQP
import ServiceRuntime

extension UnreachableDependency {
    /// - Parameter error: Why; nil when the broker says nothing.
    init(_ broker: AMQPConfiguration, _ error: AMQPError?) {
        self.init("RabbitMQ at \(broker.host):\(broker.port)", reason: error?.description ?? "no answer")
    }
}
