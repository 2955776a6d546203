package import Postgres

/// One transaction of a use case with or without an `Idempotency-Key`, repeated when another request with the key won the race.
package struct KeyedTransaction: Sendable {
    /// How long another request with the same key, or with a lock that this one needs, is waited for.
    private static let lockTimeout = Duration.seconds(2)
    private static let statementTimeout = Duration.seconds(5)
    private static let idleTimeout = Duration.seconds(5)
    private static let attempts = 3

    private let pool: PostgresPool

    package init(pool: PostgresPool) {
        self.pool = pool
    }

    /// - Parameters:
    ///   - inProgress: The answer after the lock time-out.
    ///   - deadline: When the caller gives up.
    /// - Returns: what `body` does.
    package func run<Answer: Sendable>(
        inProgress: Answer, until deadline: ContinuousClock.Instant?, _ body: @Sendable (PostgresSession) throws -> Answer
    ) async throws -> Answer {
        let options = TransactionOptions(statementTimeout: Self.statementTimeout, lockTimeout: Self.lockTimeout, idleTimeout: Self.idleTimeout)
        for attempt in 1..<Self.attempts {
            do {
                return try await pool.withTransaction(options, within: WaitLimit(until: deadline), body)
            } catch let error as PostgresError where error.sqlState == .uniqueViolation {
                continue
            } catch let error as PostgresError where error.sqlState == .integrityConstraintViolation && attempt == 1 {
                // A clock that stepped between its reading and the write: the second reading is not believed.
                continue
            } catch let error as PostgresError where error.sqlState == .lockNotAvailable {
                return inProgress
            }
        }
        return try await pool.withTransaction(options, within: WaitLimit(until: deadline), body)
    }
}
