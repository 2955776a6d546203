/// What a user of the broker may do; regular expressions over names, as RabbitMQ takes them.
package struct BrokerPermissions: Sendable, Hashable {
    /// What a user may publish to the exchange of events, and bind to it, by routing key.
    package struct Topic: Sendable, Hashable {
        package let write: String
        package let read: String
    }

    package let user: String
    package let configure: String
    package let write: String
    package let read: String
    package let topic: Topic?

    private static let nothing = "^$"

    /// It makes and binds queues of all names but a consumer's retry queues, and neither publishes events nor reads a queue.
    static let operators = BrokerPermissions(
        user: Fleet.operators, configure: #"^(florin\.(events|dead|unconsumed)|[a-z][a-z0-9-]*)$"#,
        write: #"^(florin\.unconsumed|[a-z][a-z0-9-]*)$"#, read: #"^florin\.events$"#, topic: Topic(write: nothing, read: ".*"))

    /// It publishes its source's events and nothing else.
    static func relay(of service: FleetService, _ outbox: FleetService.Outbox) -> BrokerPermissions {
        BrokerPermissions(
            user: FleetService.relayUser(of: service.name), configure: nothing, write: #"^florin\.events$"#, read: nothing,
            topic: Topic(write: #"^\#(outbox.area)\."#, read: nothing))
    }

    /// Its own queue and the queues in which its events wait to be tried again.
    package static func consumer(_ service: FleetService) -> BrokerPermissions {
        let queues = #"\#(service.name)(\.retry\.[0-9a-z]+)?"#
        let areas = service.consumedAreas.joined(separator: "|")
        return BrokerPermissions(
            user: service.name, configure: "^\(queues)$", write: #"^(amq\.default|\#(service.name))$"#, read: #"^(florin\.events|\#(queues))$"#,
            topic: Topic(write: nothing, read: service.consumedAreas.count == 1 ? #"^\#(areas)\."# : #"^(\#(areas))\."#))
    }

    /// KEDA's, which only asks how long a queue is.
    static func scaler(of service: FleetService) -> BrokerPermissions {
        BrokerPermissions(user: "\(service.name)-scaler", configure: nothing, write: nothing, read: nothing, topic: nil)
    }
}

extension Fleet {
    /// The permissions of every user: what `permissions.json` has to say.
    package static let brokerPermissions: [BrokerPermissions] =
        [.operators] + sources.compactMap { source in source.outbox.map { .relay(of: source, $0) } }
        + consumers.flatMap { [.consumer($0), .scaler(of: $0)] }
}
