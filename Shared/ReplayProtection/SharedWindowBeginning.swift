package import Logging
package import Redis
import Synchronization

/// Since when the Redis that is connected remembers, and whether it may forget.
///
/// A Redis that was restarted has an empty memory unless it keeps files, which the window has no need of. What was signed before could
/// have been let in before: the same rule as that of a process that keeps its own window, with the start of Redis for that of the process.
package final class SharedWindowBeginning: Sendable {
    private static let safePolicy = "noeviction"

    private let logger: Logger
    /// Nil while no server has told. Kept by the clock that nobody sets: a second of the day that was noted by a clock that was wrong would
    /// stay wrong when the clock is right again.
    private let beganAt = Mutex<ContinuousClock.Instant?>(nil)

    package init(logger: Logger) {
        self.logger = logger
    }

    /// The second in which the memory began, 0 when the server does not tell.
    ///
    /// - Parameter now: Seconds since the Unix epoch.
    func second(now: Int64) -> Int64 {
        beganAt.withLock { $0 }.map { now - $0.duration(to: .now).components.seconds } ?? 0
    }

    /// Asks a new connection's server, before anybody uses it.
    ///
    /// - Throws: ``RedisError`` when it does not answer; an answer that it may not tell is accepted.
    package func observe(_ connection: RedisConnection) async throws(RedisError) {
        if let text = try await allowed(connection, RedisCommand("INFO", "server"))?.text, let uptime = Self.uptime(text) {
            // A server whose own clock was set back since its start tells of less than no time.
            beganAt.withLock { $0 = .now - .seconds(max(0, uptime)) }
        }
        if let pair = try await allowed(connection, RedisCommand("CONFIG GET", "maxmemory-policy"))?.array, pair.count == 2,
            let policy = pair[1].text, policy != Self.safePolicy
        {
            logger.warning(
                "Redis may evict nonces of the replay window; set maxmemory-policy noeviction", metadata: ["redis.maxmemory_policy": "\(policy)"])
        }
    }

    /// The reply, or nil when the server says that this user may not ask.
    private func allowed(_ connection: RedisConnection, _ command: RedisCommand) async throws(RedisError) -> RedisValue? {
        do throws(RedisError) {
            return try await connection.send(command, timeout: .seconds(1))
        } catch .server {
            return nil
        }
    }

    /// Seconds, out of the lines of `INFO server`.
    static func uptime(_ text: String) -> Int64? {
        text.split(whereSeparator: \.isNewline).lazy.compactMap { line in
            line.hasPrefix("uptime_in_seconds:") ? Int64(line.dropFirst("uptime_in_seconds:".count)) : nil
        }.first
    }
}
