import Contracts

extension Timestamp {
    /// Unix seconds, as JWTs have them.
    var seconds: Int64 { millisecondsSinceUnixEpoch / 1_000 }

    static func + (time: Timestamp, duration: Duration) -> Timestamp {
        let (seconds, attoseconds) = duration.components
        return Timestamp(
            microsecondsSinceUnixEpoch: time.microsecondsSinceUnixEpoch + seconds * 1_000_000 + attoseconds / 1_000_000_000_000)
    }

    static func - (time: Timestamp, duration: Duration) -> Timestamp { time + (.zero - duration) }

    /// How much later this is than another; negative when it is earlier.
    func since(_ other: Timestamp) -> Duration { .microseconds(microsecondsSinceUnixEpoch - other.microsecondsSinceUnixEpoch) }
}
