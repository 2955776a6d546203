import StrictJSON
import Testing

@Suite("JSON: the members of an object")
struct JSONObjectReaderTests {
    private static let members = ["a", "b/c~d", "e"].map { JSONMember(name: $0, value: .string($0)) }

    @Test("a member is taken by its name, and what was not taken is left over in the order of the object")
    func taken() {
        var reader = JSONObjectReader(members: Self.members, pointer: "/list/0")
        #expect(reader.leftOver == ["a", "b/c~d", "e"])
        #expect(reader.take("e") == .string("e") && reader.take("x") == nil)
        #expect(reader.leftOver == ["a", "b/c~d"])
        #expect(reader.take("a") == .string("a") && reader.take("b/c~d") == .string("b/c~d"))
        #expect(reader.leftOver.isEmpty)
    }

    @Test("as many members as the parser reads are told apart")
    func most() {
        let members = (0..<JSONParser.maximumMembers).map { JSONMember(name: "\($0)", value: .null) }
        var reader = JSONObjectReader(members: members)
        for member in members.dropLast() { _ = reader.take(member.name) }
        #expect(reader.leftOver == ["\(JSONParser.maximumMembers - 1)"])
    }

    @Test("a member's pointer is escaped as RFC 6901 says, and a long name is cut")
    func pointers() {
        let reader = JSONObjectReader(members: Self.members, pointer: "/list/0")
        #expect(reader.pointer(to: "b/c~d") == "/list/0/b~1c~0d")
        // A mark behind a slash makes another character of it.
        #expect(reader.pointer(to: "/\u{338}") == "/list/0/~1\u{338}")
        #expect(reader.pointer(to: String(repeating: "x", count: 65)) == "/list/0/" + String(repeating: "x", count: 64))
    }

    @Test(
        "members are the same when their bytes are, not when Unicode calls them equivalent",
        arguments: [("caf\u{E9}", "cafe\u{301}"), ("K", "\u{212A}"), ("\u{C5}", "\u{212B}"), ("a;", "a\u{37E}")])
    func names(one: String, other: String) throws {
        let value = try JSONParser.parse(Array(#"{"\#(one)":1,"\#(other)":2}"#.utf8))
        #expect(value[one] == .number("1") && value[other] == .number("2"))
        #expect(JSONValue.string(one) != .string(other) && Set([JSONValue.string(one), .string(other)]).count == 2)
        #expect(JSONMember(name: one, value: .null) != JSONMember(name: other, value: .null))
        var reader = JSONObjectReader(members: [JSONMember(name: one, value: .number("1"))])
        #expect(reader.take(other) == nil && reader.take(one) == .number("1"))
    }
}
