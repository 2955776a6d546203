import AMQP
import EventBroker
import Fleetctl
import ServiceRuntime
import TestSupport
import Testing

@Suite("Topology: on a broker", .serialized)
struct TopologyBrokerTests {
    private static let everything = [
        "exchange florin.events", "queue ops-risk", "queue notification", "queue florin.unconsumed", "queue florin.dead",
    ]

    @Test("on an empty broker plan names everything, apply makes it, and then there is nothing more to do")
    func empty() async throws {
        let broker = try await TopologyBroker()
        for _ in 0..<2 {
            let plan = await broker.run(.plan)
            #expect(plan.exit == .failure && plan.lines(of: "missing") == Self.everything, "\(plan.output)")
        }
        #expect(try await broker.column("type").isEmpty)
        let applied = await broker.run(.apply)
        #expect(applied.exit == .success && applied.lines(of: "made") == Self.everything, "\(applied.output)")
        for action in [TopologyReport.Action.plan, .apply, .plan] {
            let again = await broker.run(action)
            #expect(again.exit == .success && again.lines(of: "missing").isEmpty && again.lines(of: "made").isEmpty, "\(again.output)")
        }
        #expect(
            try await broker.column("type") == [
                "ops-risk": "quorum", "notification": "quorum", "florin.unconsumed": "quorum", "florin.dead": "quorum",
            ])
        #expect(
            try await broker.column("policy") == [
                "ops-risk": "consumers", "notification": "consumers", "florin.unconsumed": "unconsumed", "florin.dead": "dead",
            ])
        // Every event of the catalogue has a place, once.
        #expect(try await broker.publish() == [])
        let unconsumed = EventTopology.unconsumed(among: TopologyBroker.types)
        #expect(
            try await broker.holds([
                "ops-risk": TopologyBroker.types.count - unconsumed.count - 1, "notification": 1, "florin.unconsumed": unconsumed.count,
                "florin.dead": 0,
            ]))
        #expect(await broker.run(.plan).lines(of: "unconsumed").count == unconsumed.count)
    }

    @Test("a queue that exists as classic is named with what to do, and left; all else is made, and nothing is bound to it")
    func classic() async throws {
        let broker = try await TopologyBroker()
        try await broker.declare(AMQPTopology(queues: [AMQPQueue("ops-risk", kind: .classic)]))
        let plan = await broker.run(.plan)
        #expect(plan.exit == .failure && plan.lines(of: "missing") == Self.everything.filter { $0 != "queue ops-risk" })
        #expect(plan.lines(of: "different") == ["queue ops-risk has x-queue-type classic, wanted quorum"], "\(plan.output)")
        for _ in 0..<2 {
            let applied = await broker.run(.apply)
            #expect(applied.exit == .failure && applied.lines(of: "different") == plan.lines(of: "different"))
            #expect(applied.output.contains("rabbitmqctl delete_queue ops-risk"))
        }
        #expect(
            try await broker.column("type") == [
                "ops-risk": "classic", "notification": "quorum", "florin.unconsumed": "quorum", "florin.dead": "quorum",
            ])
        let consumed = TopologyBroker.types.filter { EventTopology.consumer(of: "ops-risk")?.takes($0) == true }
        // These stay in their outboxes.
        #expect(try await broker.publish() == consumed)

        try await broker.deleteQueue("ops-risk")
        let applied = await broker.run(.apply)
        #expect(applied.exit == .success && applied.lines(of: "made") == ["queue ops-risk"], "\(applied.output)")
        #expect(try await broker.publish(consumed) == [])
    }

    @Test("an exchange of another kind is named and left")
    func exchange() async throws {
        let broker = try await TopologyBroker()
        try await broker.declare(AMQPTopology(exchanges: [AMQPExchange("florin.events", kind: .direct)]))
        let applied = await broker.run(.apply)
        #expect(applied.exit == .failure && applied.lines(of: "different") == ["exchange florin.events has type direct, wanted topic"])
        #expect(applied.lines(of: "made") == Self.everything.filter { $0 != "exchange florin.events" })
        #expect(try await broker.publish() == TopologyBroker.types)
    }

    @Test("a queue that somebody deletes is missing, and made again with its bindings", arguments: ["ops-risk", "florin.unconsumed"])
    func deleted(queue: String) async throws {
        let broker = try await TopologyBroker()
        #expect(await broker.run(.apply).exit == .success)
        try await broker.deleteQueue(queue)
        #expect(!(try await broker.publish().isEmpty))
        let plan = await broker.run(.plan)
        #expect(plan.exit == .failure && plan.lines(of: "missing") == ["queue \(queue)"], "\(plan.output)")
        let applied = await broker.run(.apply)
        #expect(applied.exit == .success && applied.lines(of: "made") == ["queue \(queue)"], "\(applied.output)")
        #expect(try await broker.publish() == [])
    }

    @Test("a type that has got a consumer goes to that one alone after apply")
    func obsolete() async throws {
        let broker = try await TopologyBroker()
        #expect(await broker.run(.apply).exit == .success)
        let type = "ledger.transfer.posted.v1"
        let binding = AMQPBinding(queue: "florin.unconsumed", exchange: "florin.events", routingKey: type)
        try await broker.declare(AMQPTopology(bindings: [binding]))
        #expect(await broker.run(.apply).exit == .success)
        #expect(try await broker.publish([type]) == [])
        #expect(try await broker.holds(["ops-risk": 1, "notification": 0, "florin.unconsumed": 0, "florin.dead": 0]))
    }

    @Test("the user of the topology publishes no event: by no exchange that is there, and by none that it makes")
    func publishesNothing() async throws {
        let broker = try await TopologyBroker()
        #expect(await broker.run(.apply).exit == .success)
        let forged = AMQPMessage(body: [1], messageID: "forged")
        for (exchange, key) in [("", "ops-risk"), ("", "ops-risk.retry.1s"), ("", "florin.dead"), ("florin.events", "ledger.transfer.posted.v1")] {
            let outcomes = try await broker.publish([AMQPPublication(forged, exchange: exchange, routingKey: key)], as: .fleetctl)
            guard case .unknown(.channelClosed(code: 403, _)) = outcomes[0] else {
                Issue.record("\(exchange) by \(key): \(outcomes)")
                continue
            }
        }
        let own = AMQPExchange("forge", kind: .fanout)
        for binding in EventTopology.whole(types: TopologyBroker.types).queues.map({ AMQPBinding(queue: $0.name, exchange: own.name, routingKey: "") }
        ) {
            let error = await #expect(throws: AMQPError.self) {
                try await broker.declare(AMQPTopology(exchanges: [own], bindings: [binding]), as: .fleetctl)
            }
            #expect(error?.finding == TopologyFinding(.binding, binding.description, .refused(code: 403)))
        }
        let sender = AMQPQueue("sender", arguments: ["x-dead-letter-exchange": "", "x-message-ttl": .integer(0)])
        let error = await #expect(throws: AMQPError.self) { try await broker.declare(AMQPTopology(queues: [sender]), as: .fleetctl) }
        #expect(error?.finding == TopologyFinding(.queue, "sender", .refused(code: 403)))
        #expect(try await broker.holds(["ops-risk": 0, "notification": 0, "florin.unconsumed": 0, "florin.dead": 0]))
    }

    @Test("what its consumer gives back again and again waits in the queue of the dead")
    func dead() async throws {
        let broker = try await TopologyBroker()
        #expect(await broker.run(.apply).exit == .success)
        #expect(try await broker.publish(["ledger.transfer.posted.v1"]) == [])
        let isDead = try await broker.whileRefused("ops-risk") {
            try await broker.holds(["ops-risk": 0, "notification": 0, "florin.unconsumed": 0, "florin.dead": 1])
        }
        #expect(isDead)
    }

    @Test("a full retry queue refuses what comes: how full is its policy's to say, what then its arguments'")
    func fullRetryQueue() async throws {
        let broker = try await TopologyBroker()
        let queue = AMQPQueue.waiting("ops-risk.retry.10m", for: .seconds(600), thenTo: "ops-risk")
        try await broker.declare(AMQPTopology(queues: [queue]))
        #expect(try await broker.column("policy") == [queue.name: "retries"])
        try await broker.limit(queue.name, to: 1)
        let message = AMQPPublication(AMQPMessage(body: [1], messageID: "waiting"), exchange: "", routingKey: queue.name)
        var confirmed = 0
        let isFull = try await eventually {
            let outcomes = try await broker.publish([message], as: .everything)
            confirmed += outcomes.count { $0 == .confirmed }
            return outcomes == [.nacked]
        }
        #expect(isFull && confirmed >= 1)
        // None of them was dropped for a later one.
        #expect(try await broker.holds([queue.name: confirmed]))
    }

    @Test("what the user may not do is told apart from drift, and by what is missing")
    func refused() async throws {
        let broker = try await TopologyBroker()
        try await broker.revokeConfigure()
        let applied = await broker.run(.apply)
        #expect(applied.exit == .failure && applied.lines(of: "made").isEmpty)
        #expect(applied.lines(of: "different") == Self.everything.map { "\($0) is refused with 403" }, "\(applied.output)")
        #expect(applied.output.contains("infra/rabbitmq/permissions.json"))
    }
}
