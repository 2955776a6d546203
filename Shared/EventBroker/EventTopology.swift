package import AMQP
internal import Fleet

/// The exchange, the queues and the bindings of the fleet, declared here and nowhere else.
///
/// Publishers declare nothing and consumers what is their own; `fleetctl topology apply` makes all of it, as `migrate` makes a schema.
package enum EventTopology {
    package static let exchange = AMQPExchange("florin.events", kind: .topic)

    /// Every consumer of the fleet.
    package static let consumers = Fleet.consumers.map { EventConsumerQueue(service: $0.name, patterns: $0.consumes) }

    /// Where event types go that nobody consumes yet, by name; bounded by a policy.
    package static let unconsumedQueue = AMQPQueue("florin.unconsumed")

    /// Where a consumer's queue sends what it handed out too often without an answer, by its policy; bounded by a policy itself.
    ///
    /// By the default exchange: whoever may bind queues to an exchange and publish to it can reach every queue through it, so there is
    /// none besides the one of the events, to which only relays publish.
    package static let deadQueue = AMQPQueue("florin.dead")

    package static func consumer(of service: String) -> EventConsumerQueue? { consumers.first { $0.service == service } }

    /// The types that no consumer's pattern fits, in their order.
    package static func unconsumed(among types: [String]) -> [String] {
        types.filter { type in !consumers.contains { $0.takes(type) } }
    }

    /// The whole of it, but for the queues in which a consumer's events wait to be tried again: they follow from its settings, so it
    /// declares them itself.
    /// - Parameter types: Every event type of the fleet.
    package static func whole(types: [String]) -> AMQPTopology {
        AMQPTopology(
            exchanges: [exchange], queues: consumers.map(\.queue) + [unconsumedQueue, deadQueue],
            bindings: consumers.flatMap(\.bindings) + unconsumed(among: types).map(toUnconsumed))
    }

    /// Bindings of types that had no consumer once and have one now.
    /// - Parameter types: Every event type of the fleet.
    package static func obsolete(types: [String]) -> [AMQPBinding] {
        let unconsumed = Set(unconsumed(among: types))
        return types.filter { !unconsumed.contains($0) }.map(toUnconsumed)
    }

    private static func toUnconsumed(_ type: String) -> AMQPBinding {
        AMQPBinding(queue: unconsumedQueue.name, exchange: exchange.name, routingKey: type)
    }
}

/// A consumer's one queue and what reaches it.
package struct EventConsumerQueue: Sendable, Hashable {
    /// The executable's name, which is the queue's as well.
    package let service: String
    /// Of the topic exchange: words separated by dots, `*` one word, `#` any number.
    package let patterns: [String]

    package init(service: String, patterns: [String]) {
        self.service = service
        self.patterns = patterns
    }

    package var queue: AMQPQueue { AMQPQueue(service) }

    package var bindings: [AMQPBinding] {
        patterns.map { AMQPBinding(queue: queue.name, exchange: EventTopology.exchange.name, routingKey: $0) }
    }

    /// What the consumer declares itself. Not the exchange: whoever may declare it may delete it, and with it everybody's bindings. Where
    /// it is missing the binding says so, and the consumer tries on until `fleetctl topology apply` has made it.
    package var topology: AMQPTopology { AMQPTopology(queues: [queue], bindings: bindings) }

    package func takes(_ type: String) -> Bool { patterns.contains { Self.matches($0, type) } }

    /// The rule of the topic exchange (AMQP 0-9-1, 3.1.3.3), as RabbitMQ follows it.
    package static func matches(_ pattern: String, _ routingKey: String) -> Bool { matches(words(pattern), words(routingKey)) }

    /// A key that is empty has no word; between two dots is one, if an empty one.
    private static func words(_ text: String) -> ArraySlice<Substring> {
        text.isEmpty ? [] : text.split(separator: ".", omittingEmptySubsequences: false)[...]
    }

    private static func matches(_ pattern: ArraySlice<Substring>, _ words: ArraySlice<Substring>) -> Bool {
        guard let first = pattern.first else { return words.isEmpty }
        if first == "#" { return matches(pattern.dropFirst(), words) || (!words.isEmpty && matches(pattern, words.dropFirst())) }
        guard let word = words.first, first == "*" || first == word else { return false }
        return matches(pattern.dropFirst(), words.dropFirst())
    }
}
