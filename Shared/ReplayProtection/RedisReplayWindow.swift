package import CoreMetrics
import Crypto
package import Logging
import Metrics
package import Redis
package import RequestSigning
import Synchronization

/// The replay window that all replicas of a service share: one key in Redis for each nonce, which goes by itself.
///
/// | Redis | a request that may come twice | any other |
/// |---|---|---|
/// | has kept the nonce | goes on | goes on |
/// | has it already | replayed | replayed |
/// | is full (`OOM`) | unavailable | unavailable |
/// | out of reach, late, or answers another error | goes on with the memory of this process | unavailable |
///
/// What that leaves: while Redis is out of reach a captured request that may come twice can come once at each replica, and once more
/// through Redis afterwards. Such a request reads, or its idempotency key makes its repetition the first answer again.
package final class RedisReplayWindow: ReplayWindow {
    /// Redis is spoken of as back when no request had to do without it for so long.
    package static let quietSeconds: Int64 = 5
    /// Longer than any service's name.
    package static let maximumServiceLength = 32
    /// 128 bits: two nonces that meet would refuse one request, which can be signed again.
    private static let digestLength = 16
    private static let checkMilliseconds: Int64 = 1_000
    private static let longestRemainingSeconds = SignatureProfile.maximumLifetimeSeconds + SignatureProfile.clockSkewSeconds

    private let redis: RedisClient
    private let beginning: SharedWindowBeginning
    private let keyPrefix: [UInt8]
    private let fallback = InProcessReplayWindow(startedAt: 0)
    /// The last second in which a request had to do without Redis; 0 when that never was.
    private let lastFallback = Atomic<Int64>(0)
    private let isOut = Atomic<Bool>(false)
    private let fallbacks: Counter
    private let refusals: Counter
    private let logger: Logger

    /// - Parameters:
    ///   - service: The callee, whose keys begin with `replay:<service>:`.
    ///   - beginning: Since when this Redis remembers.
    package init(
        redis: RedisClient, service: String, beginning: SharedWindowBeginning, logger: Logger,
        metrics: any MetricsFactory = MetricsSystem.factory
    ) {
        precondition(service.utf8.count <= Self.maximumServiceLength, "a key has at most 64 bytes")
        self.redis = redis
        self.beginning = beginning
        self.logger = logger
        keyPrefix = Array("replay:\(service):".utf8)
        fallbacks = Counter(label: "replay_window_fallbacks_total", factory: metrics)
        refusals = Counter(label: "replay_window_unavailable_total", factory: metrics)
        fallbacks.increment(by: 0)
        refusals.increment(by: 0)
    }

    package func admit(_ caller: VerifiedCaller, isRepeatable: Bool, now: Int64) async throws(SignatureRejection) {
        // The clock check has seen to both; here they bound how long Redis keeps a key.
        guard caller.expires <= now + Self.longestRemainingSeconds else { throw .invalid(.lifetime) }
        guard caller.expires + SignatureProfile.clockSkewSeconds > now else { throw .expired }
        let isNew: Bool
        do throws(RedisError) {
            isNew = try await redis.setIfAbsent(
                key(of: caller), to: Array("1".utf8), milliseconds: Self.secondsToKeep(caller, now: now) * 1_000)
        } catch {
            try admitWithoutRedis(caller, isRepeatable: isRepeatable, now: now, because: error)
            return
        }
        noteReachable(now: now)
        guard isNew else { throw .replayed }
        // A Redis that began later than the signature does not know whether the request was let in before.
        guard isRepeatable || caller.created > beginning.second(now: now) else { throw .replayed }
        heedClock(now)
        // Of what was let in without Redis, Redis knows nothing.
        if now <= lastFallback.load(ordering: .relaxed) + Self.longestRemainingSeconds { try fallback.admit(caller, now: now) }
    }

    /// A clock that was ahead when a request had to do without Redis, and is right again: that was now at the latest.
    private func heedClock(_ now: Int64) {
        let last = lastFallback.load(ordering: .relaxed)
        guard last > now + SignatureProfile.clockSkewSeconds else { return }
        _ = lastFallback.compareExchange(expected: last, desired: now, ordering: .relaxed)
    }

    /// Does what a request does: a Redis that is full, takes no writes or denies this user its keys answers a PING all the same.
    ///
    /// - Throws: ``RedisError`` when a request would have to do without.
    package func check() async throws(RedisError) {
        _ = try await redis.setIfAbsent(keyPrefix + Array("readiness".utf8), to: Array("1".utf8), milliseconds: Self.checkMilliseconds)
    }

    /// Until the signature can pass no replica's clock check any more; theirs may be behind this one by the skew.
    private static func secondsToKeep(_ caller: VerifiedCaller, now: Int64) -> Int64 {
        caller.expires + 2 * SignatureProfile.clockSkewSeconds - now
    }

    /// At most 64 bytes; key id and nonce hold no space.
    func key(of caller: VerifiedCaller) -> [UInt8] {
        var hash = SHA256()
        hash.update(data: Array(caller.keyID.utf8))
        hash.update(data: [UInt8(ascii: " ")])
        hash.update(data: Array(caller.nonce.utf8))
        var key = keyPrefix
        key.append(contentsOf: hash.finalize().prefix(Self.digestLength))
        return key
    }

    private func admitWithoutRedis(
        _ caller: VerifiedCaller, isRepeatable: Bool, now: Int64, because error: RedisError
    ) throws(SignatureRejection) {
        // The caller has gone; that says nothing about Redis.
        guard error != .cancelled else { throw .replayWindowUnavailable }
        noteOut(error, now: now)
        guard isRepeatable, !error.isOutOfMemory else {
            refusals.increment()
            throw .replayWindowUnavailable
        }
        fallbacks.increment()
        try fallback.admit(caller, now: now)
    }

    // MARK: Logging (once per change of state)

    private func noteOut(_ error: RedisError, now: Int64) {
        lastFallback.store(now, ordering: .relaxed)
        guard isOut.compareExchange(expected: false, desired: true, ordering: .relaxed).exchanged else { return }
        logger.warning(
            "the replay window is unreachable; only repeatable requests are served", metadata: ["error": "\(error)"])
    }

    private func noteReachable(now: Int64) {
        // Alternating answers and time-outs are one change, not many.
        guard isOut.load(ordering: .relaxed), now > lastFallback.load(ordering: .relaxed) + Self.quietSeconds,
            isOut.compareExchange(expected: true, desired: false, ordering: .relaxed).exchanged
        else { return }
        logger.info("the replay window is reachable again")
    }
}
