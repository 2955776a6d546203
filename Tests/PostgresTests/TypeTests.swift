import Foundation
import Postgres
import TestSupport
import Testing

@Suite struct TypeTests {
    /// Sends values as parameters and reads them back, and lets the server compare them with its own reading of a literal.
    private func expectRoundTrip<Value: PostgresArrayElement & Hashable & Sendable>(
        _ cases: [(value: Value, literal: String)], cast: String, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        try await withSuperuserSession { session in
            for (value, literal) in cases {
                let row = try session.query(
                    "SELECT \(value), \(value) IS NOT DISTINCT FROM \(literal)::\(unsafeSQL: cast), \(Value?.some(value)), \(Value?.none)")[0]
                let (echo, isSame, optional, null) = try row.decode(Value.self, Bool.self, Value?.self, Value?.self)
                #expect(echo == value, sourceLocation: sourceLocation)
                #expect(isSame, "the server reads \(literal) otherwise", sourceLocation: sourceLocation)
                #expect(optional == value, sourceLocation: sourceLocation)
                #expect(null == nil, sourceLocation: sourceLocation)
            }
            let values = cases.map(\.value)
            let withNulls: [Value?] = [nil] + values.map(Optional.some) + [nil]
            let row = try session.query("SELECT \(values), \(withNulls), \([Value]()), \([Value?]([nil])), cardinality(\(withNulls))")[0]
            let (echo, echoWithNulls, empty, null, count) = try row.decode(
                [Value].self, [Value?].self, [Value].self, [Value?].self, Int32.self)
            #expect(echo == values, sourceLocation: sourceLocation)
            #expect(echoWithNulls == withNulls, sourceLocation: sourceLocation)
            #expect(empty.isEmpty, sourceLocation: sourceLocation)
            #expect(null == [nil], sourceLocation: sourceLocation)
            #expect(count == Int32(withNulls.count), sourceLocation: sourceLocation)
            let error = postgresError {
                _ = try row.decode([Value].self, [Value].self, [Value].self, [Value?].self, Int32.self)
            }
            #expect(error?.kind == .decoding, sourceLocation: sourceLocation)
        }
    }

    @Test func `booleans and integers keep their extremes`() async throws {
        try await expectRoundTrip([(true, "true"), (false, "false")], cast: "bool")
        try await expectRoundTrip([(Int16.min, "-32768"), (0, "0"), (.max, "32767")], cast: "int2")
        try await expectRoundTrip([(Int32.min, "-2147483648"), (-1, "-1"), (.max, "2147483647")], cast: "int4")
        try await expectRoundTrip(
            [(Int64.min, "-9223372036854775808"), (-1, "-1"), (.max, "9223372036854775807")], cast: "int8")
        try await expectRoundTrip([(0.1, "0.1"), (-Double.infinity, "-infinity"), (1e300, "1e300")], cast: "float8")
    }

    @Test func `text, bytes, identifiers and JSON come back unchanged`() async throws {
        try await expectRoundTrip([("", ""), ("Zürich 🦆", "Zürich 🦆"), ("{\"a\",NULL}", "{\"a\",NULL}")], cast: "text")
        try await expectRoundTrip([([UInt8](), "\\x"), ([0, 255, 10], "\\x00ff0a")], cast: "bytea")
        let uuid = try #require(UUID(uuidString: "0192F0C1-2D3E-7ABC-8DEF-0123456789AB"))
        try await expectRoundTrip([(uuid, "0192f0c1-2d3e-7abc-8def-0123456789ab")], cast: "uuid")
        try await expectRoundTrip([(PostgresJSON("{\"a\": [1, 2.50]}"), "{\"a\":[1,2.50]}")], cast: "jsonb")
    }

    @Test func `times keep microseconds, both eras and infinity`() async throws {
        try await expectRoundTrip(
            [
                (PostgresTimestamp(microsecondsSinceUnixEpoch: 0), "1970-01-01 00:00:00+00"),
                (PostgresTimestamp(microsecondsSinceUnixEpoch: 1_700_000_000_123_456), "2023-11-14 22:13:20.123456+00"),
                (PostgresTimestamp(microsecondsSinceUnixEpoch: -1), "1969-12-31 23:59:59.999999+00"),
                (PostgresTimestamp.infinity, "infinity"), (PostgresTimestamp.negativeInfinity, "-infinity"),
            ], cast: "timestamptz")
    }

    @Test func `a large array arrives whole`() async throws {
        let numbers = (0..<100_000).map { Int64($0) * 3 }
        let (count, sum) = try await withSuperuserSession { session in
            try session.query("SELECT count(*), sum(n)::bigint FROM unnest(\(numbers)) AS n")[0].decode(Int64.self, Int64.self)
        }
        #expect(count == 100_000)
        #expect(sum == numbers.reduce(0, +))
    }

    @Test func `narrower integers widen, wider ones are refused`() async throws {
        try await withSuperuserSession { session in
            let row = try session.query("SELECT 7::int2, 8::int4, 9::int8")[0]
            let (fromInt2, fromInt4, fromInt8) = try row.decode(Int64.self, Int64.self, Int64.self)
            #expect([fromInt2, fromInt4, fromInt8] == [7, 8, 9])
            let (narrow, same, _) = try row.decode(Int32.self, Int32.self, Int64.self)
            #expect([narrow, same] == [7, 8])
            #expect(postgresError { _ = try row.decode(Int32.self, Int32.self, Int32.self) }?.kind == .decoding)
            #expect(postgresError { _ = try row.decode(Int32.self, Int32.self, String.self) }?.kind == .decoding)
        }
    }

    @Test func `an enum's label and both kinds of JSON are read as text`() async throws {
        try await withSuperuserSession { session in
            try session.unsafeScript("CREATE TYPE pg_temp.mood AS ENUM ('calm', 'wild')")
            let row = try session.query("SELECT 'wild'::pg_temp.mood, '[1]'::json, '[1]'::jsonb, 'x'::varchar, 'y'::name")[0]
            let (label, json, jsonb, varchar, name) = try row.decode(String.self, String.self, String.self, String.self, String.self)
            #expect([label, json, jsonb, varchar, name] == ["wild", "[1]", "[1]", "x", "y"])
        }
    }
}
