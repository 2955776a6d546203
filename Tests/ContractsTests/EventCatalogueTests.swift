import Contracts
import Foundation
import StrictJSON
import TestSupport
import Testing

/// A new event type is in the catalogue, the document, the schemas and the golden files, or a test fails.
@Suite("Events: catalogue and AsyncAPI document")
struct EventCatalogueTests {
    private typealias JSONObject = [String: any Sendable]

    private static let contracts = RepositoryRoot.path("Shared/Contracts")
    private let document: JSONObject
    private let types = EventCatalogue.entries.map(\.type)

    init() throws {
        document = try Self.object("\(Self.contracts)/AsyncAPI/florin.json")
    }

    private static func object(_ path: String) throws -> JSONObject {
        try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: URL(filePath: path))) as? JSONObject)
    }

    private func object(_ path: String...) throws -> JSONObject {
        var current = document
        for name in path { current = try #require(current[name] as? JSONObject, "\(path)") }
        return current
    }

    private func names(in folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) }
    }

    @Test("every type follows the rule of names, and each is there once")
    func rule() {
        #expect(Set(types).count == types.count)
        for entry in EventCatalogue.entries {
            #expect(entry.type.wholeMatch(of: /[a-z]+(\.[a-z_]+)+\.v[1-9][0-9]*/) != nil, "\(entry.type)")
            #expect(entry.type == "\(entry.family).v\(entry.version)")
            #expect(EventCatalogue.entry(entry.type) == entry)
            #expect(EventCatalogue.newestVersion(of: entry.family) == entry.version)
        }
        #expect(EventCatalogue.entry("ledger.transfer.posted.v1")?.producer == "wallet-ledger")
        #expect(EventCatalogue.entry("risk.alert.raised.v1")?.producer == "ops-risk")
        #expect(EventCatalogue.entry("ledger.transfer.posted") == nil)
        #expect(EventCatalogue.newestVersion(of: "ledger.transfer") == nil)
    }

    @Test("every type that the sources of the events name is in the catalogue")
    func sources() throws {
        let folder = "\(Self.contracts)/Events"
        var named: Set<String> = []
        for file in try FileManager.default.contentsOfDirectory(atPath: folder) {
            let source = try String(contentsOfFile: "\(folder)/\(file)", encoding: .utf8)
            named.formUnion(source.matches(of: /"([a-z]+(?:\.[a-z_]+)+\.v[0-9]+)"/).map { String($0.1) })
        }
        #expect(named == Set(types))
    }

    @Test("each type has a schema named by it, whose id is the dataschema of its events")
    func schemas() throws {
        let folder = "\(Self.contracts)/AsyncAPI/schemas"
        #expect(try names(in: folder).sorted() == types)
        for type in types {
            let schema = try Self.object("\(folder)/\(type).json")
            #expect(schema["$id"] as? String == "urn:florin:schema:\(type)")
            #expect(schema["$schema"] as? String == "https://json-schema.org/draft/2020-12/schema")
            // Closed, it could not gain a member within its version.
            #expect(!String(describing: schema).contains("additionalProperties") && !String(describing: schema).contains("unevaluated"))
        }
    }

    @Test("each type has a golden file, of its own or of its variants, and there is no other")
    func golden() throws {
        let files = try names(in: Golden.folder)
        #expect(Set(files) == Set(Golden.names))
        #expect(Set(files.map { String($0.prefix { $0 != "+" }) }) == Set(types))
        #expect(Set(types).isSubset(of: files))
    }

    @Test("each type has a channel on the exchange, a message and the send operation of its producer")
    func channels() throws {
        #expect(document["asyncapi"] as? String == "3.0.0")
        #expect(Set(try object("channels").keys) == Set(types))
        #expect(Set(try object("components", "messages").keys) == Set(types))
        for entry in EventCatalogue.entries {
            let type = entry.type
            #expect(try object("channels", type)["address"] as? String == type)
            let binding = try object("channels", type, "bindings", "amqp")
            #expect(binding["is"] as? String == "routingKey")
            let exchange = try #require(binding["exchange"] as? JSONObject)
            #expect(exchange["name"] as? String == "florin.events" && exchange["type"] as? String == "topic")
            #expect(exchange["durable"] as? Bool == true && exchange["autoDelete"] as? Bool == false)
            #expect(try object("channels", type, "messages", type)["$ref"] as? String == "#/components/messages/\(type)")
            let message = try object("components", "messages", type)
            #expect(message["contentType"] as? String == "application/cloudevents+json")
            let parts = try #require(try object("components", "messages", type, "payload", "schema")["allOf"] as? [JSONObject])
            let properties = try #require(parts.last?["properties"] as? [String: JSONObject])
            #expect(properties["type"]?["const"] as? String == type)
            #expect(properties["source"]?["const"] as? String == entry.producer)
            #expect(properties["dataschema"]?["const"] as? String == "urn:florin:schema:\(type)")
            #expect(properties["data"]?["$ref"] as? String == "./schemas/\(type).json")
        }
    }

    @Test("an operation sends what its service produces, persistent and mandatory, or receives what a queue is bound for")
    func operations() throws {
        var sent: Set<String> = []
        for (name, value) in try object("operations") {
            let operation = try #require(value as? JSONObject)
            let service = try #require(operation["x-service"] as? String)
            let channel = try #require((operation["channel"] as? JSONObject)?["$ref"] as? String)
            let type = String(channel.dropFirst("#/channels/".count))
            let binding = try #require((operation["bindings"] as? JSONObject)?["amqp"] as? JSONObject)
            #expect((operation["messages"] as? [JSONObject])?.map { $0["$ref"] as? String } == ["\(channel)/messages/\(type)"])
            switch operation["action"] as? String {
            case "send":
                #expect(name == "\(service).sends.\(type)")
                #expect(EventCatalogue.entry(type)?.producer == service)
                #expect(binding["deliveryMode"] as? Int == 2 && binding["mandatory"] as? Bool == true)
                sent.insert(type)
            case "receive":
                #expect(name == "\(service).receives.\(type)")
                #expect(types.contains(type))
                #expect(binding["ack"] as? Bool == true)
                #expect(operation["x-queue"] as? String == service)
            default: Issue.record("\(name) neither sends nor receives")
            }
        }
        #expect(sent == Set(types))
    }

    @Test("the example of a message is its golden file, and the document states delivery, order and the rule of evolution")
    func examples() throws {
        for type in types {
            let examples = try #require(try object("components", "messages", type)["examples"] as? [JSONObject])
            let golden = try Self.object("\(Golden.folder)/\(type).json")
            #expect((examples.first?["payload"] as? JSONObject).map { NSDictionary(dictionary: $0) } == NSDictionary(dictionary: golden), "\(type)")
        }
        let description = try #require(try object("info")["description"] as? String)
        for word in ["**Delivery**", "**Order**", "**Evolution.**", "ignores members", "new type", "65 536 bytes"] {
            #expect(description.contains(word), "\(word)")
        }
        #expect(EventEnvelope.maximumBytes == 65_536 && JSONParser.maximumDepth == 16 && JSONParser.maximumMembers == 64)
    }
}
