package import CoreMetrics
package import Logging
import Metrics
import NIOSSL
package import Observability
package import Redis
package import RequestSigning
package import ServiceLifecycle
package import ServiceRuntime
package import TransportSecurity

/// The replay window that the settings ask for, with what must run for it; built by the composition of every service that is called.
package struct ReplayProtection: Sendable {
    package let window: any ReplayWindow
    /// To run before the server of the API, which uses them.
    package let services: [any Service]
    package let healthChecks: [HealthCheck]
    /// When requests can be taken: what was signed earlier is refused.
    package let takesRequestsFrom: ContinuousClock.Instant

    /// What a TLS handshake may need on a busy machine.
    private static let minimumConnectTimeout = Duration.seconds(1)

    /// Where the shared window is, nil when the settings keep it in the process; checked before anything is connected to.
    ///
    /// - Parameters:
    ///   - service: The callee's name.
    ///   - authorities: The fleet's own, nil when something else encrypts.
    /// - Throws: ``InvalidConfiguration`` naming the setting that can't be used.
    package static func target(
        _ settings: ReplayWindowSettings, service: String, authorities: FleetAuthorities?
    ) throws(InvalidConfiguration) -> RedisConfiguration? {
        guard let url = settings.redisURL else { return nil }
        let tls = try encryption(settings, authorities)
        do throws(RedisError) {
            guard let tls else { return try RedisConfiguration(url: url.reveal(), clientName: service) }
            return try RedisConfiguration(url: url.reveal(), clientName: service, tls: tls)
        } catch {
            throw InvalidConfiguration(key: ReplayWindowSettings.urlKey, "can't be used: \(error)")
        }
    }

    private static func encryption(
        _ settings: ReplayWindowSettings, _ authorities: FleetAuthorities?
    ) throws(InvalidConfiguration) -> (@Sendable () -> TLSConfiguration)? {
        guard let file = settings.authoritiesFile else {
            guard let authorities else { return nil }
            return { authorities.clientConfiguration }
        }
        do throws(CertificateFileError) {
            let authorities = try FleetAuthorities(file: file)
            return {
                // Asked for with each connection, which is seldom; a file that can't be used keeps the old.
                _ = try? authorities.reloadIfChanged()
                return authorities.clientConfiguration
            }
        } catch {
            throw InvalidConfiguration(key: ReplayWindowSettings.authoritiesKey, "\(error)")
        }
    }

    /// Connects when the window is shared. A Redis that does not answer does not stop the start; one that refuses us does.
    ///
    /// - Parameters:
    ///   - target: As ``target(_:service:authorities:)`` found it.
    ///   - timeout: How long a request waits for Redis.
    ///   - now: Seconds since the Unix epoch.
    /// - Throws: ``InvalidConfiguration`` when Redis does not accept user and password.
    package static func compose(
        _ target: RedisConfiguration?, service: String, timeout: Duration, logger: Logger, metrics: any MetricsFactory = MetricsSystem.factory,
        now: @escaping @Sendable () -> Int64 = { WallClock.microsecondsSinceUnixEpoch() / 1_000_000 }
    ) async throws(InvalidConfiguration) -> ReplayProtection {
        guard let target else {
            // A second, and what the timer may be early by.
            return ReplayProtection(
                window: InProcessReplayWindow(startedAt: now()), services: [], healthChecks: [], takesRequestsFrom: .now + .milliseconds(1_010))
        }
        let beginning = SharedWindowBeginning(logger: logger)
        let redis = RedisClient(
            configuration: target, options: RedisOptions(commandTimeout: timeout, connectTimeout: max(timeout * 4, minimumConnectTimeout)),
            logger: logger, metrics: metrics,
            prepare: { try await beginning.observe($0) })
        do throws(RedisError) {
            try await redis.connect()
        } catch .refused(let reason) {
            throw InvalidConfiguration(key: ReplayWindowSettings.urlKey, "can't be used: \(RedisError.refused(reason))")
        } catch {
            logger.warning(
                "started without the shared replay window; only repeatable requests are served",
                metadata: ["redis.target": "\(target)", "error": "\(error)"])
        }
        let window = RedisReplayWindow(redis: redis, service: service, beginning: beginning, logger: logger, metrics: metrics)
        return ReplayProtection(
            window: window, services: [redis], healthChecks: [HealthCheck(name: "redis", critical: false) { try await window.check() }],
            takesRequestsFrom: .now)
    }

    /// Says what its metrics mean.
    package static func describeMetrics(_ metrics: PrometheusRegistry) {
        metrics.describe("replay_window_fallbacks_total", "Repeatable requests checked by the process alone while Redis was unreachable.")
        metrics.describe("replay_window_unavailable_total", "Requests refused because Redis was full or unreachable.")
        metrics.describe("redis_commands_total", "Commands sent to Redis.")
        metrics.describe("redis_command_failures_total", "Commands without the reply that was asked for, by reason.")
        metrics.describe("redis_command_seconds", "Time from a command to its reply.")
        metrics.describe("redis_commands_in_flight", "Commands without a reply yet.")
        metrics.describe("redis_reconnects_total", "Connections to Redis that replaced a lost one.")
    }
}
