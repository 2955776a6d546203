import Contracts
import Foundation
import StrictJSON
import TestSupport
import Testing

/// Each body is written and read by one type, for the service that sends it and the one that receives it.
@Suite("Wire types")
struct WireTypeTests {
    @Test("what is written is read as the same value, and written again as the same bytes", arguments: WireType.all)
    func roundTrip(type: WireType) throws {
        func check<Value: WireCodable>(_ value: Value) throws {
            let read = try Value(wireBytes: value.wireBytes())
            #expect(read == value)
            #expect(read.wireBytes() == value.wireBytes())
        }
        for value in type.values { try check(value) }
    }

    /// What is not in the body but in a header.
    private static let elsewhere: Set = ["Problem.retryAfterSeconds"]

    @Test("the values above fill every member of their type, and leave out each one that is optional", arguments: WireType.all)
    func samples(type: WireType) {
        var filled: Set<String> = []
        var empty: Set<String> = []
        var optional: Set<String> = []
        for value in type.values {
            let mirror = Mirror(reflecting: value)
            for child in mirror.children {
                let (member, content) = ("\(type.name).\(child.label ?? "")", Mirror(reflecting: child.value))
                let isSet = content.displayStyle == .optional || content.displayStyle == .collection ? !content.children.isEmpty : true
                if content.displayStyle == .optional { optional.insert(member) }
                if isSet { filled.insert(member) } else { empty.insert(member) }
            }
        }
        #expect(empty.union(optional).subtracting(filled).subtracting(Self.elsewhere).isEmpty)
        #expect(optional.subtracting(empty).isEmpty)
    }

    @Test("every member that is written is read: without it a body is refused or is another value", arguments: WireType.all)
    func everyMember(type: WireType) throws {
        func check<Value: WireCodable>(_ value: Value) throws {
            let json = try JSONParser.parse(value.wireBytes())
            let altered = AlteredJSON.all(of: json)
            let null = Set(altered.filter { $0.change == "null" && $0.value == json }.map(\.pointer))
            for altered in altered where altered.change == "removed" && !null.contains(altered.pointer) {
                #expect((try? Value(wireBytes: altered.bytes)) != value, "\(altered.pointer)")
            }
        }
        for value in type.values { try check(value) }
    }

    @Test("at every depth a request refuses a member that it does not know, and an answer ignores it", arguments: WireType.all)
    func unknownMembers(type: WireType) throws {
        func check<Value: WireCodable>(_ value: Value) throws {
            let additions = AlteredJSON.all(of: try JSONParser.parse(value.wireBytes())).filter { $0.pointer.hasSuffix("/another") }
            #expect(!additions.isEmpty)
            for addition in additions {
                if value is any WireRequest {
                    #expect {
                        try Value(wireBytes: addition.bytes)
                    } throws: {
                        $0 as? RequestFault == RequestFault(.unknownField, pointer: addition.pointer, detail: "Unknown field.")
                    }
                } else {
                    #expect(try Value(wireBytes: addition.bytes) == value)
                }
            }
        }
        for value in type.values { try check(value) }
    }

    @Test("the list has every wire type of the contracts, and each is named by what it is")
    func complete() throws {
        var listed = Set(WireType.all.map(\.name))
        var events = Set(Golden.events.map { "\(Swift.type(of: $0.payload))" })
        for (name, conformances) in try Self.declarations() {
            let isProblem = ["Problem", "FieldError"].contains(name)
            for conformance in conformances {
                switch conformance {
                case "WireRequest": #expect(name.hasSuffix("Request") && listed.remove(name) != nil, "\(name)")
                case "WireBody": #expect((name.hasSuffix("Body") || isProblem) && listed.remove(name) != nil, "\(name)")
                case "EventPayload": #expect(name.hasSuffix("Event") && events.remove(name) != nil, "\(name)")
                // An envelope holds any event, and is read in two steps.
                case "WireEncodable": #expect(name == "EventEnvelope")
                case "WireDecodable", "WireCodable": Issue.record("\(name) is neither a request's nor an answer's")
                default: break
                }
            }
        }
        #expect(listed.isEmpty && events.isEmpty)
    }

    /// The types that the sources of the contracts declare or extend, each with what it conforms to. A protocol is none.
    private static func declarations() throws -> [(name: String, conformances: [String])] {
        let folder = RepositoryRoot.path("Shared/Contracts")
        let declaration = /(?m)^(?:package )?(?:struct|enum|extension) (\w+)(?:<[^>]*>)?: ([^{]+) \{/
        let files = try #require(FileManager.default.enumerator(atPath: folder)).compactMap { $0 as? String }.filter { $0.hasSuffix(".swift") }
        let found = try files.flatMap { file in
            try String(contentsOfFile: "\(folder)/\(file)", encoding: .utf8).matches(of: declaration).map { match in
                (String(match.1), match.2.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) })
            }
        }
        return found.filter { !["WireRequest", "WireBody"].contains($0.0) }
    }
}
