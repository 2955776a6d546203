import Contracts
import Postgres

/// One transaction of a use case that is no posting, with or without a key, repeated when another request with the key won the race.
struct KeyedTransaction {
    /// How long another request with the same key, or with the same wallet's lock, is waited for.
    static let lockTimeout = Duration.seconds(2)
    static let statementTimeout = Duration.seconds(5)
    static let idleTimeout = Duration.seconds(5)
    private static let attempts = 3

    let pool: PostgresPool

    /// - Returns: what `body` does, or `inProgress` after the lock time-out.
    func run<Body: Sendable & Hashable>(
        _ body: @Sendable (PostgresSession) throws -> KeyedAnswer<Body>
    ) async throws -> KeyedAnswer<Body> {
        let options = TransactionOptions(statementTimeout: Self.statementTimeout, lockTimeout: Self.lockTimeout, idleTimeout: Self.idleTimeout)
        for _ in 1..<Self.attempts {
            do {
                return try await pool.withTransaction(options, body)
            } catch let error as PostgresError where error.sqlState == .uniqueViolation {
                continue
            } catch let error as PostgresError where error.sqlState == .lockNotAvailable {
                return .inProgress
            }
        }
        return try await pool.withTransaction(options, body)
    }
}
