package import Contracts
internal import FoundationEssentials
import StrictJSON

/// An event that its consumer gives up.
struct DeadLetter: Sendable {
    let carried: CarriedEvent
    let facts: EventFacts
    let failure: EventFailure
    let failedAt: Timestamp

    var firstFailedAt: Timestamp { min(carried.firstFailedAt ?? failedAt, failedAt) }
}

/// A dead letter as it is listed: all but what was in it.
package struct DeadLetterSummary: Sendable, Hashable {
    package let id: Int64
    package let eventID: EventID?
    package let type: String?
    package let partitionKey: String?
    package let occurredAt: Timestamp?
    package let kind: EventFailure.Kind
    package let reason: String
    package let attempts: Int
    package let firstFailedAt: Timestamp
    package let lastFailedAt: Timestamp
    package let status: DeadLetterStatus
    package let note: String?
    /// The key under which its body is encrypted; while one is open, its key must stay in the keys file.
    package let bodyKeyID: String

    /// From when its age counts: an event that happened long ago may have been applied before anybody remembers.
    package var ageBegins: Timestamp { min(occurredAt ?? firstFailedAt, firstFailedAt) }
}

package enum DeadLetterStatus: String, Sendable, Hashable, CaseIterable {
    case open
    case replayed
    case discarded
}

/// Which dead letters are meant.
package struct DeadLetterFilter: Sendable, Hashable {
    package static let maximumLimit = 10_000

    package var limit: Int
    package var eventID: EventID?
    /// The row's number, for those without an event id.
    package var id: Int64?
    package var type: String?
    package var kind: EventFailure.Kind?
    /// Failed for the first time then or later.
    package var since: Timestamp?
    /// Nil is any.
    package var status: DeadLetterStatus?

    package init(
        limit: Int = 200, eventID: EventID? = nil, id: Int64? = nil, type: String? = nil, kind: EventFailure.Kind? = nil,
        since: Timestamp? = nil, status: DeadLetterStatus? = .open
    ) {
        self.limit = limit
        self.eventID = eventID
        self.id = id
        self.type = type
        self.kind = kind
        self.since = since
        self.status = status
    }

    func encodeMembers(into writer: inout JSONWriter) {
        writer.member("limit", Int64(limit))
        if let eventID { writer.member("event_id", eventID.description) }
        if let id { writer.member("id", id) }
        if let type { writer.member("type", type) }
        if let kind { writer.member("class", kind.rawValue) }
        if let since { writer.member("since", since.description) }
    }
}
