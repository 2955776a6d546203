import AMQP
import EventBroker
import Logging
import TestSupport
import Testing

@Suite("Topic patterns")
struct TopicMatchingTests {
    private static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    /// Nobody else's, so that its queue holds nothing but what is published here.
    private static let broker = Task { try await RabbitMQServer.startSeparate() }

    @Test(
        "a pattern names a version, and a family by a star",
        arguments: [
            ("ledger.transfer.*.v1", "ledger.transfer.posted.v1", true), ("ledger.transfer.*.v1", "ledger.transfer.posted.v2", false),
            ("ledger.transfer.*.v1", "ledger.hold.placed.v1", false), ("ledger.transfer.*.v1", "ledger.transfer.v1", false),
            ("ledger.transfer.*.v1", "ledger.transfer.a.b.v1", false), ("ledger.#", "ledger", true), ("ledger.#.v1", "ledger.a.b.v1", true),
            ("#", "", true), ("*", "", false), ("", "", true), ("*.*", ".", true),
        ])
    func examples(_ pattern: String, _ key: String, _ expected: Bool) {
        #expect(EventConsumerQueue.matches(pattern, key) == expected)
    }

    /// One exchange per pattern, all bound to one queue: a message that comes back as unroutable did not fit.
    @Test("what fits a pattern is what RabbitMQ says fits, for random patterns and keys", arguments: [UInt64(1), 2])
    func likeTheBroker(seed: UInt64) async throws {
        var generator = SeededGenerator(seed: seed)
        func texts(of words: [String], _ count: Int) -> [String] {
            let all = (0..<count).map { _ in
                (0..<Int.random(in: 1...5, using: &generator)).map { _ in words.randomElement(using: &generator) ?? "" }.joined(separator: ".")
            }
            return Array(Set(all)).sorted()
        }
        let patterns = texts(of: ["a", "b", "*", "#", ""], 60)
        let keys = texts(of: ["a", "b", "c", ""], 60)
        let queue = "matching-\(seed)"
        let exchanges = patterns.indices.map { AMQPExchange("matching-\(seed)-\($0)") }
        let topology = AMQPTopology(
            exchanges: exchanges, queues: [AMQPQueue(queue, kind: .classic)],
            bindings: zip(exchanges, patterns).map { AMQPBinding(queue: queue, exchange: $0.name, routingKey: $1) })
        let publisher = try AMQPPublisher(
            configuration: AMQPConfiguration(url: await Self.broker.value.url()), name: queue, topology: topology, logger: Self.quiet)
        let running = Task { try await publisher.run() }
        var fitting = 0
        for (pattern, exchange) in zip(patterns, exchanges) {
            let outcomes = await publisher.publish(
                keys.enumerated().map { AMQPPublication(AMQPMessage(body: [], messageID: "\($0)"), exchange: exchange.name, routingKey: $1) })
            let fits = outcomes.map { $0 == .confirmed }
            #expect(zip(outcomes, fits).allSatisfy { $1 || $0.isUnroutable }, "\(pattern)")
            let differing = zip(keys, fits).filter { EventConsumerQueue.matches(pattern, $0) != $1 }.map(\.0)
            #expect(differing.isEmpty, "\(pattern)")
            fitting += fits.count { $0 }
        }
        // Neither everything nor nothing, which would prove little.
        #expect(fitting > keys.count && fitting < patterns.count * keys.count / 2, "\(fitting)")
        running.cancel()
        try await running.value
    }
}

extension PublishOutcome {
    fileprivate var isUnroutable: Bool { if case .unroutable = self { true } else { false } }
}
