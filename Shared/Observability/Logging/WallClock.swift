package import Contracts

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// The system's clock in its own unit. What needs the time of day takes a `now: () -> Timestamp`.
package enum WallClock {
    /// Microseconds since the Unix epoch, now.
    package static func microsecondsSinceUnixEpoch() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
    }
}

extension Timestamp {
    /// The time of day, by the system's clock.
    @Sendable package static func now() -> Timestamp { Timestamp(microsecondsSinceUnixEpoch: WallClock.microsecondsSinceUnixEpoch()) }
}
