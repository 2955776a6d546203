import Postgres
import TestSupport
import Testing

/// Rows read as types: what fits, and what an error says where something doesn't.
@Suite struct RowTests {
    private static let person = PostgresColumns(("p.id", Int64.self), ("p.name", String?.self))
    private static let pet = PostgresColumns(("'cat'::text AS kind", String.self), ("7::int2 AS lives", Int16.self))

    private static func rows(_ session: PostgresSession) throws -> PostgresResult {
        try session.query(
            """
            SELECT \(unsafeSQL: person), \(unsafeSQL: pet), p.id * 2 AS twice
            FROM (VALUES (1::int8, 'Ada'), (2, NULL)) p (id, name) ORDER BY p.id
            """)
    }

    @Test("a row is read as one type for each column, and NULL as an optional's nil")
    func types() async throws {
        try await withSuperuserSession { session in
            let rows = try session.query("SELECT n, CASE WHEN n > 1 THEN 'more' END FROM generate_series(1::int8, 2) n ORDER BY n")
            let read = try rows.map { row in try row.decode(Int64.self, String?.self) }
            #expect(read.map(\.0) == [1, 2])
            #expect(read.map(\.1) == [nil, "more"])
        }
    }

    @Test("columns are selected and read by one list, and what follows them is read after them")
    func columns() async throws {
        try await withSuperuserSession { session in
            let rows = try Self.rows(session)
            #expect(try rows.map { try $0.decode(Self.person).0 } == [1, 2])
            #expect(try rows.map { try $0.decode(Self.person).1 } == ["Ada", nil])
            let rest = rows[1].after(Self.person)
            let (kind, lives) = try rest.decode(Self.pet)
            #expect(kind == "cat" && lives == 7)
            #expect(try rest.after(Self.pet).decode(Int64.self) == 4)
        }
    }

    @Test("an error names the column, wherever in the row it lies")
    func names() async throws {
        try await withSuperuserSession { session in
            let row = try session.query("SELECT 1::int8 AS id, NULL::int8 AS balance, 'EUR'::text AS currency")[0]
            let null = postgresError { _ = try row.decode(Int64.self, Int64.self, String.self) }
            #expect(null?.kind == .decoding)
            #expect(null?.description.contains("column balance: ") == true)
            let type = postgresError { _ = try row.decode(Int64.self, Int64?.self, Int64.self) }
            #expect(type?.kind == .decoding)
            #expect(type?.description.contains("column currency: ") == true)
            let wrong = PostgresColumns(("id", Int64.self), ("balance", Int64?.self))
            let later = postgresError { _ = try row.after(wrong).decode(Bool.self) }
            #expect(later?.description.contains("column currency: ") == true)
        }
    }

    @Test("a row with more or fewer columns than are read is an error")
    func counts() async throws {
        try await withSuperuserSession { session in
            let row = try session.query("SELECT 1::int8, 2::int8, 3::int8")[0]
            let two = PostgresColumns(("a", Int64.self), ("b", Int64.self))
            for error in [
                postgresError { _ = try row.decode(Int64.self) },
                postgresError { _ = try row.decode(Int64.self, Int64.self) },
                postgresError { _ = try row.decode(Int64.self, Int64.self, Int64.self, Int64.self) },
                postgresError { _ = try row.after(two).decode(Int64.self, Int64.self) },
                postgresError { _ = try row.after(two).decode(two) },
            ] {
                #expect(error?.kind == .decoding)
            }
            #expect(try row.after(two).decode(Int64.self) == 3)
        }
    }
}
