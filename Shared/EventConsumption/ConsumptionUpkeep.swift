internal import Logging
internal import Postgres
internal import ServiceLifecycle

/// Counts the open dead letters for the metrics, and deletes what has been kept long enough, a bounded number at a time.
struct ConsumptionUpkeep: Service {
    let parts: ConsumptionParts

    static let expiredAtOnce: Int32 = 1_000
    /// One deletion for so many looks.
    private static let looksPerExpiry = 4

    func run() async throws {
        var look = 0
        repeat {
            await count()
            if look % Self.looksPerExpiry == 1 { await expire() }
            look += 1
        } while await pause()
    }

    private func pause() async -> Bool {
        guard !Task.isShuttingDownGracefully else { return false }
        let slept: Void? = try? await cancelWhenGracefulShutdown { try await Task.sleep(for: parts.options.watchInterval) }
        return slept != nil
    }

    private func count() async {
        // While the database is away, the last count stays.
        guard let census = try? await parts.pool.withSession({ session in try parts.deadLetters.census(session) }) else { return }
        parts.metrics.state.set(census)
    }

    private func expire() async {
        do {
            let count = try await parts.pool.withTransaction(parts.options.transaction) { session in
                try ProcessedEvents.expire(session, atMost: Self.expiredAtOnce) + DeadLetterStore.expire(session, atMost: Self.expiredAtOnce)
            }
            if count > 0 { parts.logger.debug("old rows were deleted", metadata: ["event.rows": "\(count)"]) }
        } catch {
            parts.logger.warning("old rows can't be deleted", metadata: ["error": "\(error)"])
        }
    }
}
