internal import Concurrency
package import Logging
package import Postgres
internal import ServiceLifecycle

/// Deletes rows that are too old, a bounded number per transaction, as long as the process runs.
package struct RowExpiry: Service {
    /// What of one kind is deleted in one transaction, at most.
    package static let atOnce: Int32 = 1_000

    private let rows: String
    private let pool: PostgresPool
    private let pause: Duration
    private let clock: ClockWitness
    private let logger: Logger
    private let delete: @Sendable (_ session: PostgresSession, _ atMost: Int32) throws -> Int

    /// - Parameters:
    ///   - rows: What they are, for the log: `idempotency keys`.
    ///   - pause: Between two looks.
    ///   - delete: Deletes up to that many rows and returns how many it deleted.
    package init(
        of rows: String, pool: PostgresPool, pause: Duration = .seconds(60), clock: ClockWitness, logger: Logger,
        delete: @escaping @Sendable (_ session: PostgresSession, _ atMost: Int32) throws -> Int
    ) {
        self.rows = rows
        self.pool = pool
        self.pause = pause
        self.clock = clock
        self.logger = logger
        self.delete = delete
    }

    package func run() async throws {
        await Periodic.run(every: pause) {
            do {
                let count = try await expire()
                if count > 0 { logger.info("old rows were deleted", metadata: ["rows.kind": "\(rows)", "rows.count": "\(count)"]) }
            } catch {
                logger.warning("old rows can't be deleted", metadata: ["rows.kind": "\(rows)", "error": "\(error)"])
            }
        }
    }

    /// Deletes until nothing is left that is too old.
    ///
    /// - Returns: how many.
    /// - Throws: ``ClockDisagreement`` when the server's clock, by which rows are too old, can't be believed; `PostgresError`. What was
    ///   deleted before stays deleted.
    package func expire() async throws -> Int {
        var total = 0
        while true {
            let count = try await pool.withTransaction { session in
                try clock.check(session)
                return try delete(session, Self.atOnce)
            }
            total += count
            guard count >= Self.atOnce, !Task.isShuttingDownGracefully else { return total }
        }
    }
}
