import Postgres
import TestSupport

/// Runs `body` on a fresh superuser session of the shared server.
@discardableResult
func withSuperuserSession<Value: Sendable>(
    database: String = "postgres", _ body: @Sendable (PostgresSession) throws -> Value
) async throws -> Value {
    let connection = try await PostgresServer.shared().superuserConnection(database: database)
    return try await connection.withSession(body)
}

/// The `PostgresError` that `body` throws, nil when it throws none.
func postgresError<Value>(_ body: () throws -> Value) -> PostgresError? {
    do {
        _ = try body()
        return nil
    } catch {
        return error as? PostgresError
    }
}

/// As above, for asynchronous work.
func postgresFailure<Value>(_ body: () async throws -> Value) async -> PostgresError? {
    do {
        _ = try await body()
        return nil
    } catch {
        return error as? PostgresError
    }
}
