import AMQP
import EventBroker
import Fleetctl
import Foundation
import ServiceRuntime
import TestSupport
import Testing

/// The users of infra/rabbitmq at a broker: what each needs it may do, and nothing of what would harm others.
@Suite("Broker: permissions", .serialized)
struct BrokerPermissionTests {
    private static let events = EventTopology.exchange.name
    private static let queues = ["ops-risk", "florin.dead", "florin.unconsumed"]
    private static let own = "ledger.transfer.posted.v1"
    private static let risk = "risk.alert.raised.v1"

    /// Whoever may declare an exchange or a queue may delete it, and whoever may read a queue may purge it.
    private enum Deed {
        case declare(AMQPExchange)
        case make(AMQPQueue)
        case bind(String, key: String)
        case publish(exchange: String, key: String)
        case consume(String)
    }

    private static func publishes(_ exchange: String, _ key: String) -> Deed { .publish(exchange: exchange, key: key) }

    private static func needs(_ user: String) -> [Deed] {
        switch user {
        case "wallet-ledger-relay": [publishes(events, own)]
        case "ops-risk-relay": [publishes(events, risk)]
        case "ops-risk":
            [
                .make(AMQPQueue("ops-risk")), .make(.waiting("ops-risk.retry.5s", for: .seconds(5), thenTo: "ops-risk")),
                .bind("ops-risk", key: "ledger.transfer.*.v1"), .consume("ops-risk"), publishes("", "ops-risk.retry.5s"),
            ]
        case "notification":
            [
                .make(AMQPQueue("notification")), .make(.waiting("notification.retry.5s", for: .seconds(5), thenTo: "notification")),
                .bind("notification", key: "identity.message.requested.v1"), .consume("notification"), publishes("", "notification.retry.5s"),
            ]
        default: []
        }
    }

    private static func attacks(_ user: String) -> [Deed] {
        let common: [Deed] = [
            .declare(EventTopology.exchange), .declare(AMQPExchange("forge", kind: .fanout)), .make(AMQPQueue("florin.dead")),
            .make(AMQPQueue("florin.unconsumed")), .make(AMQPQueue("backoffice")), .bind("florin.unconsumed", key: own),
            .bind("ops-risk", key: "#"), .bind("ops-risk", key: risk), .consume("florin.dead"), .consume("florin.unconsumed"),
            publishes("amq.topic", own), publishes("amq.fanout", own),
        ]
        let ofOthers: [Deed] = [.make(AMQPQueue("ops-risk")), .consume("ops-risk"), publishes("", "ops-risk"), publishes("", "florin.dead")]
        switch user {
        case "wallet-ledger-relay": return common + ofOthers + [publishes(events, risk), publishes(events, "ledgers.a.v1"), publishes(events, "")]
        case "ops-risk-relay": return common + ofOthers + [publishes(events, own), publishes(events, "ops-risk")]
        case "ops-risk": return common + [publishes(events, own), publishes(events, risk), .bind("ops-risk.retry.5s", key: own)]
        case "notification":
            return common + [
                .make(AMQPQueue("ops-risk")), .consume("ops-risk"), publishes(events, own), publishes(events, "identity.message.requested.v1"),
                .bind("notification", key: own),
            ]
        case "fleetctl":
            return [.consume("ops-risk"), .consume("florin.dead"), .consume("florin.unconsumed"), publishes(events, own), publishes("", "ops-risk")]
        default: return common + ofOthers + [publishes(events, own), publishes(events, risk)]
        }
    }

    /// - Returns: whether the broker let it happen.
    private func attempt(_ deed: Deed, as user: String, at broker: TopologyBroker) async throws -> Bool {
        func made(_ topology: AMQPTopology) async throws -> Bool {
            do {
                try await broker.declare(topology, as: .fleet(user))
                return true
            } catch let error as AMQPError {
                guard case .refused(code: 403) = error.finding?.difference else { throw error }
                return false
            }
        }
        switch deed {
        case .declare(let exchange): return try await made(AMQPTopology(exchanges: [exchange]))
        case .make(let queue): return try await made(AMQPTopology(queues: [queue]))
        case .bind(let queue, let key):
            return try await made(AMQPTopology(bindings: [AMQPBinding(queue: queue, exchange: Self.events, routingKey: key)]))
        case .publish(let exchange, let key):
            let message = AMQPMessage(body: [1], messageID: "m", userID: user)
            let outcome = try await broker.publish([AMQPPublication(message, exchange: exchange, routingKey: key)], as: .fleet(user))[0]
            if case .unknown(.channelClosed(code: 403, _)) = outcome { return false }
            #expect(outcome == .confirmed)
            return true
        case .consume(let queue): return try await broker.consumes(queue, as: .fleet(user))
        }
    }

    @Test(
        "each user may do what it needs and nothing that harms others",
        arguments: ["wallet-ledger-relay", "ops-risk-relay", "ops-risk", "ops-risk-scaler", "notification", "notification-scaler", "fleetctl"])
    func users(user: String) async throws {
        let broker = try await TopologyBroker()
        #expect(await broker.run(.apply).exit == .success)
        for deed in Self.needs(user) {
            let isDone = try await attempt(deed, as: user, at: broker)
            #expect(isDone, "\(user) may not \(deed)")
        }
        for deed in Self.attacks(user) {
            let isDone = try await attempt(deed, as: user, at: broker)
            #expect(!isDone, "\(user) may \(deed)")
        }
    }

    @Test("a consumer that comes before the exchange is there waits for it, and names it")
    func early() async throws {
        let broker = try await TopologyBroker()
        let topology = try #require(EventTopology.consumer(of: "ops-risk")).topology
        let error = await #expect(throws: AMQPError.self) { try await broker.declare(topology, as: .fleet("ops-risk")) }
        #expect(error?.finding?.difference == .missing && error?.description.contains("florin.events") == true)
        #expect(await broker.run(.apply).exit == .success)
        try await broker.declare(topology, as: .fleet("ops-risk"))
    }
}
