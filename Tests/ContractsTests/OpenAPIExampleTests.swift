import Contracts
import Foundation
import StrictJSON
import TestSupport
import Testing

@Suite("OpenAPI documents: examples")
struct OpenAPIExampleTests {
    /// The schemas of a document that are objects: the bodies, their parts and the problem.
    private func bodies(of service: String) throws -> [JSONMember] {
        let path = RepositoryRoot.path("Shared/Contracts/OpenAPI/\(service).json")
        let document = try JSONParser.parse(Array(try Data(contentsOf: URL(filePath: path))))
        let schemas = try #require(document["components"]?["schemas"]?.objectValue)
        let examples = schemas.compactMap { $0.value["examples"]?.arrayValue?.count }
        // So no example stands where this test does not look.
        #expect(Self.count(of: ["example", "examples"], in: document) == examples.count)
        return schemas.filter { $0.value["type"]?.stringValue == "object" || $0.value["oneOf"] != nil }
    }

    private static func count(of names: Set<String>, in value: JSONValue) -> Int {
        switch value {
        case .object(let members): members.reduce(0) { $0 + (names.contains($1.name) ? 1 : 0) + count(of: names, in: $1.value) }
        case .array(let items): items.reduce(0) { $0 + count(of: names, in: $1) }
        case .null, .bool, .number, .string: 0
        }
    }

    @Test("every body has an example, which its type reads and writes as the same again", arguments: OpenAPIDocument.services)
    func examples(of service: String) throws {
        func check<Value: WireCodable>(_ example: JSONValue, _: Value.Type, _ name: String) throws {
            var writer = JSONWriter()
            writer.value(example)
            #expect(try JSONParser.parse(try Value(wireBytes: writer.bytes).wireBytes()) == example, "\(name)")
        }
        for schema in try bodies(of: service) {
            let type = try #require(WireType.all.first { $0.schemas.contains(schema.name) }, "\(schema.name)").type
            let examples = try #require(schema.value["examples"]?.arrayValue, "\(schema.name)")
            #expect(!examples.isEmpty, "\(schema.name)")
            for example in examples { try check(example, type, schema.name) }
        }
    }

    @Test("every wire type is described by a schema of a document")
    func described() throws {
        let described = Set(try OpenAPIDocument.services.flatMap { try bodies(of: $0).map(\.name) })
        for type in WireType.all { #expect(described.isSuperset(of: type.schemas) && !type.schemas.isEmpty, "\(type.name)") }
    }
}
