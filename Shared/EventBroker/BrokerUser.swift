/// The broker's users by their names, which follow from the services'.
///
/// A name says who published an event: the relay sends it as the message's `user-id`, the broker refuses a false one, and consumers take
/// events of a producer from its relay alone. So it is a rule and no setting; `infra/rabbitmq/permissions.json` has the same names.
package enum BrokerUser {
    /// Of the relay that empties the outbox of a service.
    package static func relay(of service: String) -> String { "\(service)-relay" }
}
