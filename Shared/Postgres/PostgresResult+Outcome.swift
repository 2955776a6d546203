internal import CLibPQ
internal import Glibc

extension PostgresResult {
    enum Outcome {
        case success
        case failure(PostgresError)
        /// Not run, because an earlier statement of the pipeline failed.
        case skipped
        case sync
        case copy
    }

    func outcome(sql: String?) -> Outcome {
        switch PQresultStatus(pointer) {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY: .success
        case PGRES_PIPELINE_ABORTED: .skipped
        case PGRES_PIPELINE_SYNC: .sync
        case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH: .copy
        default: .failure(serverError(sql: sql))
        }
    }

    private func serverError(sql: String?) -> PostgresError {
        let message = [DiagnosticField.message, .detail, .hint, .context].compactMap { field($0) }.joined(separator: "\n")
        var error = PostgresError(
            .server, nil, sqlState: field(.sqlState).map(SQLState.init(rawValue:)),
            serverMessage: message.isEmpty ? PQresultErrorMessage(pointer).map { String(cString: $0) } : message, sql: sql)
        error.constraintName = field(.constraint)
        error.tableName = field(.table)
        return error
    }

    private func field(_ field: DiagnosticField) -> String? {
        PQresultErrorField(pointer, Int32(field.rawValue.value)).map { String(cString: $0) }
    }

    /// The letters by which the protocol names the fields of an error (PG_DIAG_... in libpq).
    private enum DiagnosticField: Unicode.Scalar {
        case sqlState = "C"
        case message = "M"
        case detail = "D"
        case hint = "H"
        case context = "W"
        case table = "t"
        case constraint = "n"
    }
}
