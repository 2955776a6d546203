/// One row of a result; it keeps the result alive.
package struct PostgresRow: Sendable {
    let result: PostgresResult
    let row: Int

    /// Reads a column by its place, counted from 0.
    /// - Throws: `decoding` when the column doesn't exist, is NULL or has another type.
    package func decode<Value: PostgresDecodable>(_ column: Int, as type: Value.Type = Value.self) throws(PostgresError) -> Value {
        try result.decode(row: row, column: column, as: type)
    }

    /// Reads a column by its name.
    /// - Throws: `decoding` when the column doesn't exist, is NULL or has another type.
    package func decode<Value: PostgresDecodable>(_ column: String, as type: Value.Type = Value.self) throws(PostgresError) -> Value {
        guard let index = result.column(named: column) else { throw PostgresError(.decoding, "the result has no column \(column)") }
        return try result.decode(row: row, column: index, as: type)
    }

    /// Reads a column that may be NULL.
    package func decodeIfPresent<Value: PostgresDecodable>(
        _ column: Int, as type: Value.Type = Value.self
    ) throws(PostgresError) -> Value? {
        try result.decode(row: row, column: column, as: Value?.self)
    }
}
