import Synchronization

/// Remembers every (key id, nonce) that this process admitted until its signature cannot pass the clock check any more.
///
/// For a single replica only. A process that starts knows nothing of what was admitted before, so whatever was signed no later than the
/// second of its start is refused. That leaves callers whose clock is ahead: what such a one signed less than its lead before the start
/// could be repeated after it; idempotency keys stand behind that.
///
/// A clock that is set back by more than the skew begins the memory anew, from that moment: what was forgotten by the clock that was ahead,
/// or was noted for a time that is now far off, says nothing any more. What was signed before is refused, once and not until the clock
/// reaches again where it was.
///
/// A pair is kept as 128 bits of two keyed hashes. Equal pairs always meet; that two different ones do has a chance of 2⁻⁸⁸ at the full
/// capacity and refuses a request that could be signed again.
package final class InProcessReplayWindow: Sendable {
    package static let defaultCapacity = 1 << 20
    /// Shards keep lock waits short, and a set that grows moves a sixty-fourth of all pairs at a time.
    private static let shardCount = 64
    private static let longestRemainingSeconds = SignatureProfile.maximumLifetimeSeconds + SignatureProfile.clockSkewSeconds

    private let capacity: Int
    /// The second in which the memory begins.
    private let beginsAt: Atomic<Int64>
    /// The latest second that any request was judged in.
    private let latest: Atomic<Int64>
    private let shards: [Shard]
    private let used = Atomic<Int>(0)

    /// - Parameters:
    ///   - startedAt: The second, since the Unix epoch, in which the window begins to remember.
    ///   - capacity: The most pairs it remembers at a time; about 40 bytes each.
    package init(startedAt: Int64, capacity: Int = InProcessReplayWindow.defaultCapacity) {
        precondition(capacity > 0, "a window that remembers nothing admits nothing")
        self.capacity = capacity
        beginsAt = Atomic(startedAt)
        latest = Atomic(startedAt)
        shards = (0..<Self.shardCount).map { _ in Shard(sweptThrough: startedAt) }
    }

    /// How many pairs are remembered, those included that are due to be forgotten.
    package var count: Int { used.load(ordering: .relaxed) }

    /// Uses a nonce up.
    ///
    /// - Parameter now: Seconds since the Unix epoch. When it runs backwards, what was forgotten or signed meanwhile stays refused.
    /// - Throws: `.replayed`; `.expired` when the signature's time is over; `.replayWindowUnavailable` when the capacity is used up by
    ///   pairs none of which may be forgotten yet.
    package func admit(_ caller: VerifiedCaller, now: Int64) throws(SignatureRejection) {
        heedClock(now)
        guard caller.created > beginsAt.load(ordering: .acquiring) else { throw .replayed }
        // The clock check has seen to this; here it is what keeps the ring of seconds long enough.
        guard caller.expires <= now + Self.longestRemainingSeconds else { throw .invalid(.lifetime) }
        let fingerprint = Fingerprint(keyID: caller.keyID, nonce: caller.nonce)
        let forgetAt = caller.expires + SignatureProfile.clockSkewSeconds
        let shard = shards[fingerprint.shard(of: Self.shardCount)]
        var outcome = shard.remember(fingerprint, until: forgetAt, now: now, used: used, capacity: capacity)
        if outcome == .full {
            // The other shards may hold what is long due.
            for shard in shards { shard.sweep(now: now, used: used) }
            outcome = shard.remember(fingerprint, until: forgetAt, now: now, used: used, capacity: capacity)
        }
        switch outcome {
        case .remembered: return
        case .known: throw .replayed
        case .over: throw .expired
        case .full: throw .replayWindowUnavailable
        }
    }

    /// Begins anew when the clock was set back.
    private func heedClock(_ now: Int64) {
        let latest = latest.load(ordering: .relaxed)
        if now > latest { _ = self.latest.max(now, ordering: .relaxed) }
        guard now < latest - SignatureProfile.clockSkewSeconds else { return }
        // Callers may be ahead by the skew, and what they signed may have been admitted.
        beginsAt.store(now + SignatureProfile.clockSkewSeconds, ordering: .releasing)
        guard self.latest.compareExchange(expected: latest, desired: now, ordering: .acquiringAndReleasing).exchanged else { return }
        for shard in shards { shard.beginAnew(at: now, used: used) }
    }
}

extension InProcessReplayWindow {
    private enum Outcome {
        case remembered
        case known
        case over
        case full
    }

    private struct Fingerprint: Hashable {
        let high: UInt64
        let low: UInt64

        init(keyID: String, nonce: String) {
            high = Self.half(0, keyID, nonce)
            low = Self.half(1, keyID, nonce)
        }

        func shard(of count: Int) -> Int { Int(high % UInt64(count)) }

        func hash(into hasher: inout Hasher) { hasher.combine(low) }

        /// SipHash under the process's random key; the first word makes two functions of it.
        private static func half(_ which: UInt8, _ keyID: String, _ nonce: String) -> UInt64 {
            var hasher = Hasher()
            hasher.combine(which)
            hasher.combine(keyID)
            hasher.combine(nonce)
            return UInt64(truncatingIfNeeded: hasher.finalize())
        }
    }

    /// A part of the pairs, with a bucket per second in which pairs are forgotten.
    private final class Shard: Sendable {
        /// More than the longest time a pair stays, 50 s: lifetime and the skew at both ends.
        private static let seconds: Int64 = 64

        private struct State {
            var pairs: Set<Fingerprint> = []
            var buckets: [[Fingerprint]] = Array(repeating: [], count: Int(Shard.seconds))
            /// Everything due up to this second has been forgotten.
            var sweptThrough: Int64
        }

        private let state: Mutex<State>

        init(sweptThrough: Int64) {
            state = Mutex(State(sweptThrough: sweptThrough))
        }

        func remember(_ pair: Fingerprint, until forgetAt: Int64, now: Int64, used: borrowing Atomic<Int>, capacity: Int) -> Outcome {
            state.withLock { state in
                Self.sweep(&state, now: now, used: used)
                guard forgetAt > state.sweptThrough else { return .over }
                guard !state.pairs.contains(pair) else { return .known }
                guard used.wrappingAdd(1, ordering: .relaxed).newValue <= capacity else {
                    used.wrappingSubtract(1, ordering: .relaxed)
                    return .full
                }
                state.pairs.insert(pair)
                state.buckets[Int(forgetAt % Self.seconds)].append(pair)
                return .remembered
            }
        }

        func beginAnew(at now: Int64, used: borrowing Atomic<Int>) {
            state.withLock { state in
                used.wrappingSubtract(state.pairs.count, ordering: .relaxed)
                state.pairs.removeAll(keepingCapacity: true)
                for bucket in state.buckets.indices { state.buckets[bucket].removeAll(keepingCapacity: true) }
                state.sweptThrough = now
            }
        }

        func sweep(now: Int64, used: borrowing Atomic<Int>) {
            state.withLock { Self.sweep(&$0, now: now, used: used) }
        }

        private static func sweep(_ state: inout State, now: Int64, used: borrowing Atomic<Int>) {
            guard now > state.sweptThrough else { return }
            // After a pause longer than the ring every bucket is due, once.
            for second in max(state.sweptThrough + 1, now - seconds + 1)...now {
                let bucket = Int(second % seconds)
                guard !state.buckets[bucket].isEmpty else { continue }
                for pair in state.buckets[bucket] { state.pairs.remove(pair) }
                used.wrappingSubtract(state.buckets[bucket].count, ordering: .relaxed)
                state.buckets[bucket].removeAll(keepingCapacity: true)
            }
            state.sweptThrough = now
        }
    }
}
