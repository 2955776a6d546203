package import Logging
package import Redis
import Synchronization

/// Since when the Redis that is connected remembers, and whether it may forget.
///
/// A Redis that was restarted has an empty memory unless it keeps files, which the window has no need of. What was signed before could
/// have been let in before: the same rule as that of a process that keeps its own window, with the start of Redis for that of the process.
package final class SharedWindowBeginning: Sendable {
    private static let safePolicy = "noeviction"

    private let now: @Sendable () -> Int64
    private let logger: Logger
    private let beginsAt = Atomic<Int64>(0)

    /// - Parameter now: Seconds since the Unix epoch.
    package init(logger: Logger, now: @escaping @Sendable () -> Int64) {
        self.logger = logger
        self.now = now
    }

    /// The second in which the memory began, 0 when the server does not tell.
    var second: Int64 { beginsAt.load(ordering: .acquiring) }

    /// Asks a new connection's server, before anybody uses it.
    ///
    /// - Throws: ``RedisError`` when it does not answer; an answer that it may not tell is accepted.
    package func observe(_ connection: RedisConnection) async throws(RedisError) {
        if let text = try await allowed(connection, RedisCommand("INFO", "server"))?.text, let uptime = Self.uptime(text) {
            beginsAt.store(now() - uptime, ordering: .releasing)
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
