/// What a client of the broker is doing, for readiness and for people.
package struct AMQPConnectionStatus: Sendable, Hashable {
    package enum Phase: String, Sendable, Hashable {
        case notStarted = "not_started"
        case connecting
        case open
        case closed
    }

    package var phase = Phase.notStarted
    /// Counts channels; what belongs to an earlier one is settled or void.
    package var generation = 0
    /// Why the broker asked publishers to stop (an alarm), while it does.
    package var blockedReason: String?
    /// Why there was no connection last time.
    package var lastError: AMQPError?
    /// A publisher's messages that were sent and not confirmed.
    package var unconfirmed = 0
    /// A publisher's messages that wait to be sent.
    package var queued = 0
    /// A consumer's deliveries that are not settled.
    package var unsettled = 0
    /// Whether a consumer's subscription stands.
    package var isSubscribed = false

    package var isOpen: Bool { phase == .open }
    package var isBlocked: Bool { blockedReason != nil }
}
