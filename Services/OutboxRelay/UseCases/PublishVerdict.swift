import AMQP

/// What a publication's outcome means for its event.
enum PublishVerdict: Sendable, Hashable {
    case published
    /// The broker will not take this event as things are; its key waits. Finally: never.
    case failed(reason: String, isFinal: Bool)
    /// Nothing is wrong with the event: it is sent again, before anything later.
    case again
    /// The broker takes nothing now, whatever it is sent: again after a pause.
    case refused(reason: String)
    /// One of several that were in flight when the broker closed the channel; the culprit is found by sending them one by one.
    case suspect(reason: String)

    init(_ outcome: PublishOutcome) {
        switch outcome {
        case .confirmed: self = .published
        case .unroutable(let code, let text): self = .failed(reason: "unroutable: \(code) \(text)", isFinal: false)
        case .nacked: self = .refused(reason: "not accepted by the broker (basic.nack)")
        case .unknown(.channelClosed(code: 404, let text)): self = .refused(reason: "404 \(text)")
        // One over a topic concerns events of that type; any other concerns the exchange.
        case .unknown(.channelClosed(code: 403, let text)) where !text.contains("topic"): self = .refused(reason: "403 \(text)")
        // Ours is checked at the start, so the broker knows this process by another name than the one it logged in with.
        case .unknown(.channelClosed(code: 406, let text)) where text.contains("user_id"): self = .refused(reason: "406 \(text)")
        case .unknown(.channelClosed(let code, let text)): self = .suspect(reason: "the broker closes the channel over it: \(code) \(text)")
        case .notSent(.invalid(let flaw)): self = .failed(reason: "it can't be sent: \(flaw)", isFinal: true)
        case .notSent(.tooLarge): self = .failed(reason: "it is larger than \(RelayLimits.messageBytes) bytes", isFinal: true)
        case .unknown, .notSent: self = .again
        }
    }
}

/// The bounds of a relay.
enum RelayLimits {
    /// Of one message; our events are a few hundred bytes.
    static let messageBytes = 1 << 20
    /// Events in memory: read and not settled.
    static let window = 2_048
    /// Events read by one look.
    static let chunk = 512
    /// Events read of which it is not known yet whether one with a smaller id comes.
    static let aheadOfWriters = 50_000
    /// Events sent and not confirmed.
    static let unconfirmed = 1_024
}
