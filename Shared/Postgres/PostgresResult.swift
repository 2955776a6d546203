internal import CLibPQ

/// The answer to one statement: its rows, in binary format, or the number of rows it changed.
///
/// `@unchecked Sendable`: libpq documents a `PGresult` as read-only once it was returned, so that any thread may read it; nothing
/// here writes to it, and it is freed once, by the last owner.
package final class PostgresResult: @unchecked Sendable {
    let pointer: OpaquePointer
    package let rowCount: Int
    package let columnCount: Int

    init(pointer: OpaquePointer) {
        self.pointer = pointer
        rowCount = Int(PQntuples(pointer))
        columnCount = Int(PQnfields(pointer))
    }

    deinit { PQclear(pointer) }

    /// How many rows the statement inserted, updated, deleted or selected; 0 for other statements.
    package var affectedRows: Int {
        guard let text = PQcmdTuples(pointer) else { return 0 }
        return Int(String(cString: text)) ?? 0
    }

    /// The word that the server ended the statement with, such as `COMMIT` or `INSERT 0 1`.
    var commandTag: String {
        PQcmdStatus(pointer).map { String(cString: $0) } ?? ""
    }

    func columnName(_ column: Int) -> String {
        PQfname(pointer, Int32(column)).map { String(cString: $0) } ?? "\(column)"
    }

    func decode<Value: PostgresDecodable>(row: Int, column: Int, as type: Value.Type) throws(PostgresError) -> Value {
        guard column >= 0, column < columnCount else { throw PostgresError(.decoding, "the result has no column \(column)") }
        do throws(PostgresError) {
            let row = Int32(truncatingIfNeeded: row)
            let column = Int32(truncatingIfNeeded: column)
            let count = Int(PQgetlength(pointer, row, column))
            // NULL has the length 0, so that nothing else need be asked for it.
            if count == 0, PQgetisnull(pointer, row, column) != 0 { return try Value.decodeNull() }
            let bytes = UnsafeRawBufferPointer(start: PQgetvalue(pointer, row, column), count: count)
            return try Value.decode(bytes, type: PQftype(pointer, column))
        } catch {
            throw PostgresError(.decoding, "column \(columnName(column)): \(error)")
        }
    }
}

extension PostgresResult: RandomAccessCollection {
    package var startIndex: Int { 0 }
    package var endIndex: Int { rowCount }

    package subscript(row: Int) -> PostgresRow {
        precondition(row >= 0 && row < rowCount, "row out of range")
        return PostgresRow(result: self, row: row, start: 0)
    }
}
