internal import AccessTokens
internal import Logging
internal import Observability
internal import ServiceLifecycle
internal import ServiceRuntime

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
