internal import Contracts
internal import EventBroker
import StrictJSON

/// An event that its consumer gives up.
struct DeadLetter: Sendable {
    let raw: RawMessage
    let facts: EventFacts
    let failure: EventFailure
    let failedAt: Timestamp

    var firstFailedAt: Timestamp { min(raw.firstFailedAt ?? failedAt, failedAt) }
}

extension DeadLetterFilter {
    func encodeMembers(into writer: inout JSONWriter) {
        writer.member("limit", Int64(limit))
        if let eventID { writer.member("event_id", eventID.description) }
        if let id { writer.member("id", id) }
        if let type { writer.member("type", type) }
        if let kind { writer.member("class", kind.rawValue) }
        if let since { writer.member("since", since.description) }
    }
}
