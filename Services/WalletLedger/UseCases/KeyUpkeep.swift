import AccessTokens
import Logging
import Postgres
import ServiceLifecycle
import ServiceRuntime

/// Keeps the issuer's key set fresh, so that a withdrawn key is noticed even when every token comes from the cache.
struct KeySetRefresher: Service {
    let keySet: JSONWebKeySet
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await keySet.run(now: { WallClock.microsecondsSinceUnixEpoch() / 1_000_000 }) { error in
                logger.warning("the key set can't be read", metadata: ["error": "\(error)"])
            }
        }
    }
}

/// Deletes idempotency keys older than 30 days, a bounded number at a time.
struct KeyExpiry: Service {
    static let batch: Int32 = 1_000
    private static let pause = Duration.seconds(60)

    let pool: PostgresPool
    let logger: Logger

    func run() async throws {
        while !Task.isShuttingDownGracefully, (try? await cancelWhenGracefulShutdown { try await Task.sleep(for: Self.pause) }) != nil {
            do {
                let count = try await pool.withTransaction { session in try IdempotencyKeyStore().expire(session, atMost: Self.batch) }
                if count > 0 { logger.info("idempotency keys expired", metadata: ["ledger.keys": "\(count)"]) }
            } catch {
                logger.warning("idempotency keys can't be expired", metadata: ["error": "\(error)"])
            }
        }
    }
}
