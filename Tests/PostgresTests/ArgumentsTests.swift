import Foundation
import Postgres
import TestSupport
import Testing

/// Values that are bound by name.
@Suite struct ArgumentsTests {
    @Test("arguments are bound in their order, after what the statement has bound before")
    func places() {
        var arguments: PostgresArguments = ["id": Int64(7), "name": "Ada"]
        arguments += ["note": String?.none]
        let query: PostgresQuery = "SELECT \(true), f(\(arguments)), \(Int16(1))"
        #expect(query.sql == "SELECT $1, f($2, $3, $4), $5")
        #expect(query.binds == [true.postgresBind, Int64(7).postgresBind, "Ada".postgresBind, String?.none.postgresBind, Int16(1).postgresBind])
        #expect(arguments.names == ["id", "name", "note"])
    }

    @Test("a row and several rows are inserted by the names of their columns")
    func inserts() async throws {
        let names = try await withSuperuserSession { session in
            try session.execute("CREATE TEMPORARY TABLE people (name text, id bigint)")
            let one: PostgresArguments = ["id": Int64(1), "name": "Ada"]
            try session.execute("INSERT INTO people (\(unsafeSQL: one.list)) VALUES (\(one))")
            let more: PostgresArguments = ["id": [Int64(2), 3], "name": ["Bob", nil] as [String?]]
            try session.execute("INSERT INTO people (\(unsafeSQL: more.list)) SELECT * FROM unnest(\(more))")
            return try session.query("SELECT name FROM people ORDER BY id").map { try $0.decode(String?.self) }
        }
        #expect(names == ["Ada", "Bob", nil])
    }
}
