/// Exchanges, queues and bindings that belong together, as values: declared in one place, and compared with the broker's.
///
/// All are durable. What an operator must be able to change without deleting a queue (length, dead-letter exchange, delivery limit) belongs
/// in a policy of the broker's, not in arguments here. Queues made by ``AMQPQueue/waiting(_:for:thenTo:)`` are the exception: how long a
/// message waits and where it goes then is what such a queue is for, and differs from one to the next, which a policy by name can't say.
package struct AMQPTopology: Sendable, Hashable {
    package var exchanges: [AMQPExchange]
    package var queues: [AMQPQueue]
    package var bindings: [AMQPBinding]

    package init(exchanges: [AMQPExchange] = [], queues: [AMQPQueue] = [], bindings: [AMQPBinding] = []) {
        self.exchanges = exchanges
        self.queues = queues
        self.bindings = bindings
    }
}

package struct AMQPExchange: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable {
        case topic, direct, fanout, headers
    }

    package var name: String
    package var kind: Kind

    package init(_ name: String, kind: Kind = .topic) {
        self.name = name
        self.kind = kind
    }
}

package struct AMQPQueue: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable {
        /// Replicated, and safe on disk before a publisher's confirm.
        case quorum
        case classic
    }

    package var name: String
    package var kind: Kind
    /// `x-` arguments besides the type. The broker refuses a queue that exists with others.
    package var arguments: [String: AMQPValue]

    package init(_ name: String, kind: Kind = .quorum, arguments: [String: AMQPValue] = [:]) {
        self.name = name
        self.kind = kind
        self.arguments = arguments
    }

    /// A queue in which messages wait for a fixed time and then go to the end of another queue, by way of the default exchange.
    ///
    /// One queue per delay: a queue lets only its first message go, so one with mixed delays would hold short ones behind long ones.
    /// What goes is dead-lettered at least once: by default the broker forgets it before the other queue has it on its disk, and a broker
    /// that is killed in between loses it (RabbitMQ's "At-Least-Once Dead Lettering", which asks for the overflow argument as well). Both are
    /// arguments, so that no queue of this kind depends on an operator's policy for losing nothing.
    package static func waiting(_ name: String, for delay: Duration, thenTo queue: String) -> AMQPQueue {
        let milliseconds = delay.components.seconds * 1000 + delay.components.attoseconds / 1_000_000_000_000_000
        return AMQPQueue(
            name,
            arguments: [
                "x-message-ttl": .integer(milliseconds), "x-dead-letter-exchange": "", "x-dead-letter-routing-key": .string(queue),
                "x-dead-letter-strategy": "at-least-once", "x-overflow": "reject-publish",
            ])
    }

    var allArguments: [String: AMQPValue] { arguments.merging(["x-queue-type": .string(kind.rawValue)]) { $1 } }
}

/// Messages to this exchange whose routing key fits the pattern (`*` one word, `#` any number) reach the queue.
package struct AMQPBinding: Sendable, Hashable {
    package var queue: String
    package var exchange: String
    package var routingKey: String

    package init(queue: String, exchange: String, routingKey: String) {
        self.queue = queue
        self.exchange = exchange
        self.routingKey = routingKey
    }
}

extension AMQPBinding: CustomStringConvertible {
    package var description: String { "\(exchange) → \(queue)\(routingKey.isEmpty ? "" : " by \(routingKey)")" }
}
