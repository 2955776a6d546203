import AMQP
import Contracts
import EventBroker
import Fleet
import Foundation
import TestSupport
import Testing

@Suite("The topology of events")
struct EventTopologyTests {
    private let types = EventCatalogue.entries.map(\.type)

    /// The services of the document's operations with what they receive or send.
    private func operations(_ action: String) throws -> [String: Set<String>] {
        let bytes = try Data(contentsOf: URL(fileURLWithPath: RepositoryRoot.path("Shared/Contracts/AsyncAPI/florin.json")))
        let document = try #require(try JSONSerialization.jsonObject(with: bytes) as? [String: Any])
        let operations = try #require(document["operations"] as? [String: [String: Any]])
        var types: [String: Set<String>] = [:]
        for operation in operations.values where operation["action"] as? String == action {
            let service = try #require(operation["x-service"] as? String)
            let channel = try #require((operation["channel"] as? [String: String])?["$ref"]?.split(separator: "/").last)
            types[service, default: []].insert(String(channel))
        }
        return types
    }

    @Test("each consumer is bound to what the AsyncAPI document says that it receives, and to nothing else")
    func documented() throws {
        let bound = EventTopology.consumers.map { consumer in (consumer.service, Set(types.filter(consumer.takes))) }
        #expect(Dictionary(uniqueKeysWithValues: bound) == (try operations("receive")))
    }

    @Test("whoever sends a documented event sends it to the exchange of the topology, by the type as the key")
    func sent() throws {
        #expect(try operations("send").values.reduce(into: Set()) { $0.formUnion($1) } == Set(types))
        for entry in EventCatalogue.entries {
            let publication = EventMessage.publication(
                envelope: [], id: EventID(UUID()), type: entry.type, source: entry.producer, time: Timestamp(microsecondsSinceUnixEpoch: 0))
            #expect(publication.exchange == "florin.events" && publication.routingKey == entry.type)
        }
    }

    @Test("the document and the broker's permissions have the user of each event's producer, and its types for that user alone")
    func users() throws {
        struct Permissions: Decodable {
            struct Topic: Decodable {
                let user: String
                let write: String
            }
            let topic_permissions: [Topic]
        }
        let document = try JSONSerialization.jsonObject(
            with: Data(contentsOf: URL(fileURLWithPath: RepositoryRoot.path("Shared/Contracts/AsyncAPI/florin.json"))))
        let operations = try #require((document as? [String: Any])?["operations"] as? [String: [String: Any]])
        for operation in operations.values where operation["action"] as? String == "send" {
            let service = try #require(operation["x-service"] as? String)
            let binding = (operation["bindings"] as? [String: [String: Any]])?["amqp"]
            #expect(binding?["userId"] as? String == FleetService.relayUser(of: service))
        }
        let topics = try JSONDecoder().decode(
            Permissions.self, from: Data(contentsOf: URL(fileURLWithPath: RepositoryRoot.path("infra/rabbitmq/permissions.json")))
        ).topic_permissions
        for entry in EventCatalogue.entries {
            let writers = try topics.filter { try Regex($0.write).firstMatch(in: entry.type) != nil }.map(\.user)
            #expect(writers == [FleetService.relayUser(of: entry.producer)], "\(entry.type)")
            #expect(EventCatalogue.producer(of: entry.type) == entry.producer)
            #expect(EventCatalogue.producer(of: "\(entry.area).thing.new.v7") == entry.producer)
        }
        for type in ["", "ledgers.a.v1", "Ledger.a.v1", ".ledger.a.v1", "le", "ledge\u{301}r.a.v1"] {
            #expect(EventCatalogue.producer(of: type) == nil, "\(type)")
        }
    }

    @Test("every type has a place: its consumers' queues, or by its own name the queue of those without one")
    func everyType() {
        let bindings = EventTopology.whole(types: types).bindings.filter { $0.exchange == EventTopology.exchange.name }
        for type in types {
            let queues = bindings.filter { EventConsumerQueue.matches($0.routingKey, type) }.map(\.queue)
            let consumers = EventTopology.consumers.filter { $0.takes(type) }.map(\.service)
            #expect(queues == (consumers.isEmpty ? ["florin.unconsumed"] : consumers), "\(type)")
        }
        #expect(EventTopology.unconsumed(among: ["ledger.transfer.posted.v1", "ledger.transfer.posted.v2"]) == ["ledger.transfer.posted.v2"])
        #expect(
            EventTopology.obsolete(types: ["ledger.transfer.posted.v1", "ledger.transfer.posted.v2"])
                == [AMQPBinding(queue: "florin.unconsumed", exchange: "florin.events", routingKey: "ledger.transfer.posted.v1")])
    }

    @Test("all queues are quorum queues without arguments, and a consumer's own part is part of the whole")
    func shape() {
        let whole = EventTopology.whole(types: types)
        #expect(whole.queues.allSatisfy { $0.kind == .quorum && $0.arguments.isEmpty })
        #expect(Set(whole.queues.map(\.name)).count == whole.queues.count)
        for consumer in EventTopology.consumers {
            #expect(consumer.topology.exchanges.isEmpty)
            #expect(Set(consumer.topology.queues).isSubset(of: whole.queues) && Set(consumer.topology.bindings).isSubset(of: whole.bindings))
            #expect(EventTopology.consumer(of: consumer.service) == consumer)
        }
    }

    @Test("each queue has exactly one policy, and where a policy sends messages there is a queue")
    func policies() throws {
        struct Definitions: Decodable {
            struct Policy: Decodable {
                struct Limits: Decodable {
                    let deadLetterExchange: String?
                    let deadLetterRoutingKey: String?
                    enum CodingKeys: String, CodingKey {
                        case deadLetterExchange = "dead-letter-exchange"
                        case deadLetterRoutingKey = "dead-letter-routing-key"
                    }
                }
                let name: String
                let pattern: String
                let definition: Limits
            }
            let policies: [Policy]
        }
        let bytes = try Data(contentsOf: URL(fileURLWithPath: RepositoryRoot.path("infra/rabbitmq/policies.json")))
        let policies = try JSONDecoder().decode(Definitions.self, from: bytes).policies
        let whole = EventTopology.whole(types: types)
        for queue in whole.queues {
            let names = try policies.filter { try Regex($0.pattern).firstMatch(in: queue.name) != nil }.map(\.name)
            #expect(names.count == 1, "\(queue.name): \(names)")
        }
        let senders = policies.map(\.definition).filter { $0.deadLetterExchange != nil }
        #expect(!senders.isEmpty)
        for sender in senders {
            #expect(sender.deadLetterExchange == "" && whole.queues.contains { $0.name == sender.deadLetterRoutingKey }, "\(sender)")
        }
    }
}
