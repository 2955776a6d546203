/// One row of a result, or the columns of it that were not read yet; it keeps the result alive.
package struct PostgresRow: Sendable {
    let result: PostgresResult
    let row: Int
    /// The first column that is read.
    let start: Int

    /// Reads the row as these types, one for each of its columns: `let (id, name) = try row.decode(UUID.self, String?.self)`.
    /// - Throws: `decoding`, with the column's name, when one has another type or is NULL without being optional; when there are more or fewer.
    package func decode<each Value: PostgresDecodable>(_ types: repeat (each Value).Type) throws(PostgresError) -> (repeat each Value) {
        let count = packCount(repeat each types)
        guard count == result.columnCount - start else {
            throw PostgresError(.decoding, "\(count) columns are read of a row that has \(result.columnCount - start)")
        }
        return try decode()
    }

    /// Reads a row of one column.
    /// - Throws: `decoding`, with the column's name, when it has another type or is NULL without being optional; when there are more.
    package func decode<Value: PostgresDecodable>(_ type: Value.Type) throws(PostgresError) -> Value {
        guard result.columnCount - start == 1 else {
            throw PostgresError(.decoding, "1 column is read of a row that has \(result.columnCount - start)")
        }
        return try result.decode(row: row, column: start, as: type)
    }

    /// Reads the columns with which the row begins; those that follow are read from ``after(_:)``.
    /// - Throws: `decoding`, with the column's name, when one has another type or is NULL without being optional.
    package func decode<each Value: PostgresDecodable>(_ columns: PostgresColumns<repeat each Value>) throws(PostgresError) -> (repeat each Value) {
        try decode()
    }

    /// The row without the columns with which it begins.
    package func after<each Value>(_ columns: PostgresColumns<repeat each Value>) -> PostgresRow {
        PostgresRow(result: result, row: row, start: start + columns.count)
    }

    private func decode<each Value: PostgresDecodable>() throws(PostgresError) -> (repeat each Value) {
        var cursor = ColumnCursor(result: result, row: row, column: start)
        return (repeat try cursor.next((each Value).self))
    }
}

/// Where a row is read. A value and no captured variable: for that the runtime would check each column's access.
private struct ColumnCursor {
    let result: PostgresResult
    let row: Int
    var column: Int

    mutating func next<Value: PostgresDecodable>(_ type: Value.Type) throws(PostgresError) -> Value {
        defer { column += 1 }
        return try result.decode(row: row, column: column, as: type)
    }
}
