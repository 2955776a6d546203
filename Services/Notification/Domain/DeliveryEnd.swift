import Contracts

/// When a message is no longer worth sending.
enum DeliveryEnd {
    /// What the message says of itself, and in any case so long after it was asked for.
    static func of(_ message: MessageRequestedEvent, requestedAt: Timestamp, maximumAge: Duration) -> Timestamp {
        let (seconds, attoseconds) = maximumAge.components
        let age = seconds * 1_000_000 + attoseconds / 1_000_000_000_000
        let latest = Timestamp(microsecondsSinceUnixEpoch: requestedAt.microsecondsSinceUnixEpoch + age)
        return message.expiresAt.map { min($0, latest) } ?? latest
    }
}
