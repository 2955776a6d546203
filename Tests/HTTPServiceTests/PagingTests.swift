import Contracts
import HTTPService
import Testing

@Suite("Queries and cursors of lists")
struct PagingTests {
    private static let list = PageList(route: "alerts", principal: "staff:usr_1")

    private enum Colour: String, CaseIterable {
        case red, green
    }

    @Test("a cursor is taken back by the very query that it came from, and by no other")
    func binding() throws {
        let query = try QueryReader("status=open&limit=2", known: ["status"])
        let cursor = try #require(query.cursor(after: [7, .max], of: Self.list))
        let next = try QueryReader("cursor=\(cursor)&limit=50&status=open", known: ["status"])
        #expect(try next.cursor(of: Self.list, fields: 2) == [7, .max])
        #expect(throws: Problem.self) { try next.cursor(of: PageList(route: "alerts", principal: "staff:usr_2"), fields: 2) }
        #expect(throws: Problem.self) { try next.cursor(of: PageList(route: "others", principal: "staff:usr_1"), fields: 2) }
        #expect(throws: Problem.self) { try next.cursor(of: Self.list, fields: 1) }
        let filtered = try QueryReader("cursor=\(cursor)&status=resolved", known: ["status"])
        #expect(throws: Problem.self) { try filtered.cursor(of: Self.list, fields: 2) }
    }

    @Test("a cursor has one spelling", arguments: ["0", "+", "A"])
    func spelling(change: String) throws {
        let cursor = try #require(try QueryReader(nil, known: []).cursor(after: [10], of: Self.list))
        #expect(cursor.hasPrefix("v2-a-"))
        let other = cursor.replacing("v2-a-", with: change == "A" ? "v2-A-" : "v2-\(change)a-")
        #expect(throws: Problem.self) { try QueryReader("cursor=\(other)", known: []).cursor(of: Self.list, fields: 1) }
    }

    @Test(
        "a parameter that is unknown, given twice or not decodable is refused by its name",
        arguments: [
            ("colour=red&shade=1", ProblemCode.unknownField, "/shade"), ("colour=red&colour=red", .malformedRequest, "/colour"),
            ("colour=%zz", .malformedRequest, "/colour"), ("colour=%ff", .malformedRequest, "/colour"),
        ])
    func refused(query: String, code: ProblemCode, pointer: String) throws {
        let problem = #expect(throws: Problem.self) { _ = try QueryReader(query, known: ["colour"]) }
        #expect(problem?.code == code && problem?.errors.map(\.pointer) == [pointer])
    }

    @Test("a choice is one of its cases, a limit a number from 1 to 100")
    func typed() throws {
        #expect(try QueryReader("colour=gre%65n", known: ["colour"]).choice("colour", as: Colour.self) == .green)
        #expect(try QueryReader(nil, known: ["colour"]).choice("colour", as: Colour.self) == nil)
        #expect(throws: Problem.self) { try QueryReader("colour=", known: ["colour"]).choice("colour", as: Colour.self) }
        #expect(try QueryReader("", known: []).limit() == 50)
        #expect(try QueryReader("limit=100", known: []).limit() == 100)
        for text in ["0", "101", "-1", "1.0", "", "+1", "01", "00", "1_0", " 1", "1%20", "%2B1", "\u{661}", "1e1", "0x1"] {
            #expect(throws: Problem.self) { try QueryReader("limit=\(text)", known: []).limit() }
        }
    }
}
