internal import Concurrency
internal import Logging
internal import Postgres
internal import ServiceDatabase
internal import ServiceLifecycle

/// Counts the open dead letters for the metrics, and deletes what has been kept long enough, a bounded number at a time.
struct ConsumptionUpkeep: Service {
    let parts: ConsumptionParts

    /// Rows of one transaction.
    private static let expiredAtOnce: Int32 = 5_000
    /// Transactions in a row; more rows than that a minute, and the table grows until there are fewer.
    private static let expiryRounds = 60
    /// One deletion for so many looks.
    private static let looksPerExpiry = 4

    func run() async throws {
        var look = 0
        await Periodic.run(every: parts.options.watchInterval, startsAtOnce: true) {
            await count()
            if look % Self.looksPerExpiry == 1 { await expire() }
            look += 1
        }
    }

    private func count() async {
        // While the database is away, the last count stays.
        guard let counts = try? await parts.pool.withSession({ session in try parts.deadLetters.counts(session) }) else { return }
        parts.metrics.state.set(counts)
    }

    func expire() async {
        do {
            for _ in 0..<Self.expiryRounds where !Task.isShuttingDownGracefully {
                let (events, letters) = try await parts.pool.withTransaction(parts.options.transaction) { session in
                    // An event that is forgotten too early may be applied twice.
                    try parts.clock.check(session)
                    return (
                        try ProcessedEvents.expire(session, atMost: Self.expiredAtOnce),
                        try DeadLetterStore.expire(session, atMost: Self.expiredAtOnce)
                    )
                }
                if events + letters > 0 { parts.logger.debug("old rows were deleted", metadata: ["event.rows": "\(events + letters)"]) }
                guard max(events, letters) == Int(Self.expiredAtOnce) else { return }
            }
        } catch {
            parts.logger.warning("old rows can't be deleted", metadata: ["error": "\(error)"])
        }
    }
}
