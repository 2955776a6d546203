package import Contracts

/// How old an event may be that is replayed without force, to the broker or in its consumer's database.
///
/// Consumers remember for 30 days which events they applied. One that is much older may have had its effect before anybody remembers.
package enum ReplayAge {
    private static let days: Int64 = 14

    /// Half as long as it is remembered which events were applied.
    package static let maximum = Duration.seconds(days * 86_400)
    /// The same in words.
    package static let text = "\(days) days"

    /// - Parameter begins: When the event may have had its effect first: its occurrence, or its first failure if that is earlier.
    package static func isExceeded(since begins: Timestamp, now: Timestamp) -> Bool { begins < now.earlier(by: maximum) }
}
