package import Contracts

/// Why an event is a dead letter.
package enum DeadLetterClass: String, Sendable, Hashable, CaseIterable {
    /// It may succeed later: retried with growing delays, then a dead letter.
    case transient
    /// No event can be read in it, or not what its type promises: a dead letter at once.
    case poison
    /// The domain will never accept it: a dead letter at once. Every dead letter of a relay: the broker refused it in all attempts.
    case refused
    /// There is no handler for the type or version: a dead letter at once, to be replayed after the upgrade.
    case unsupported
    /// It does not come from where it says: a dead letter at once, and somebody is to look at who sent it.
    case forged
    /// A call to the outside that ended without an answer: it may have had its effect. Of work, never of an event.
    case unknown
}

package enum DeadLetterStatus: String, Sendable, Hashable, CaseIterable {
    case open
    case replayed
    case discarded
}

/// A dead letter as it is listed: all but its data.
package struct DeadLetterSummary: Sendable, Hashable {
    /// The row's number: of a relay's, the event's in the outbox.
    package let id: Int64
    package let eventID: EventID?
    package let type: String?
    package let partitionKey: String?
    package let occurredAt: Timestamp?
    package let kind: DeadLetterClass
    package let reason: String
    package let attempts: Int
    package let firstFailedAt: Timestamp
    package let lastFailedAt: Timestamp
    package private(set) var status: DeadLetterStatus
    package private(set) var note: String?
    /// The key under which a consumer encrypted its body; while one is open, its key must stay in the keys file.
    package let bodyKeyID: String?

    package init(
        id: Int64, eventID: EventID?, type: String?, partitionKey: String?, occurredAt: Timestamp?, kind: DeadLetterClass, reason: String,
        attempts: Int, firstFailedAt: Timestamp, lastFailedAt: Timestamp, status: DeadLetterStatus, note: String?, bodyKeyID: String?
    ) {
        self.id = id
        self.eventID = eventID
        self.type = type
        self.partitionKey = partitionKey
        self.occurredAt = occurredAt
        self.kind = kind
        self.reason = reason
        self.attempts = attempts
        self.firstFailedAt = firstFailedAt
        self.lastFailedAt = lastFailedAt
        self.status = status
        self.note = note
        self.bodyKeyID = bodyKeyID
    }

    /// The same, now that it has been discarded.
    package func discarded(note: String) -> DeadLetterSummary {
        var letter = self
        (letter.status, letter.note) = (.discarded, note)
        return letter
    }

    /// Whether it is older than may be replayed without force.
    ///
    /// Its age counts from its occurrence or its first failure, whichever is earlier: an attempt that was in doubt may have had its effect then.
    package func isTooOld(_ now: Timestamp) -> Bool {
        ReplayAge.isExceeded(since: min(occurredAt ?? firstFailedAt, firstFailedAt), now: now)
    }
}

/// Selects dead letters.
package struct DeadLetterFilter: Sendable, Hashable {
    package static let maximumLimit = 10_000

    package var limit: Int
    package var eventID: EventID?
    /// The row's number, for those without an event id.
    package var id: Int64?
    package var type: String?
    package var kind: DeadLetterClass?
    /// Failed for the first time then or later.
    package var since: Timestamp?
    /// Nil is any.
    package var status: DeadLetterStatus?

    /// Whether an operator named one dead letter: to find none is their mistake then, not an empty store.
    package var namesOne: Bool { eventID != nil || id != nil }

    package init(
        limit: Int = 200, eventID: EventID? = nil, id: Int64? = nil, type: String? = nil, kind: DeadLetterClass? = nil,
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
}
