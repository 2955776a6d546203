/// The decisions of a publisher, without any input or output: which tag is which message, what an answer of the broker settles, and
/// whether another message may be sent.
///
/// The broker confirms in whatever order (an unroutable message before one that waits for a disk), often several at once, and counts from 1
/// on each channel. So tags are kept one by one, with the generation of their channel; "the highest confirmed" says nothing.
struct ConfirmWindow<Ticket: Sendable>: Sendable {
    /// A message that is settled, and how.
    struct Settlement: Sendable {
        let ticket: Ticket
        let outcome: PublishOutcome
    }

    private struct Entry: Sendable {
        let ticket: Ticket
        let messageID: String
        let exchange: String
        let routingKey: String
        let deadline: ContinuousClock.Instant
        var returned: PublishOutcome?
    }

    let capacity: Int
    /// Counts channels; 0 before the first.
    private(set) var generation = 0
    /// Whether a channel is open now.
    private(set) var isOpen = false
    /// The broker's reason for taking nothing, or nil.
    private(set) var blockedReason: String?
    private var entries: [UInt64: Entry] = [:]
    private var lastTag: UInt64 = 0
    /// No tag below it is unsettled.
    private var firstTag: UInt64 = 1

    init(capacity: Int) {
        precondition(capacity > 0, "a window needs room")
        self.capacity = capacity
    }

    /// How many messages were sent and not answered.
    var count: Int { entries.count }

    var maySend: Bool { isOpen && blockedReason == nil && entries.count < capacity }

    /// Another channel is open, on which tags begin again.
    /// - Returns: its generation.
    mutating func opened() -> Int {
        precondition(entries.isEmpty, "what the old channel left is settled first")
        generation += 1
        isOpen = true
        lastTag = 0
        firstTag = 1
        return generation
    }

    /// A message is about to be sent. Noted before, so that it is not forgotten should sending fail half-way.
    mutating func sending(_ publication: AMQPPublication, ticket: Ticket, deadline: ContinuousClock.Instant) -> UInt64 {
        precondition(maySend, "there is no room in the window")
        lastTag += 1
        entries[lastTag] = Entry(
            ticket: ticket, messageID: publication.message.messageID, exchange: publication.exchange, routingKey: publication.routingKey,
            deadline: deadline)
        return lastTag
    }

    /// A message came back. It is settled by the answer to its tag, which follows: only then has the broker done with it.
    mutating func returned(_ message: ReturnedMessage, generation: Int) {
        guard generation == self.generation, isOpen else { return }
        // Rare, so it may take a look at each. Of two with the same id and address both come back, in whatever order.
        var tag = firstTag
        while tag <= lastTag {
            if let entry = entries[tag], entry.returned == nil, entry.messageID == message.messageID, entry.exchange == message.exchange,
                entry.routingKey == message.routingKey
            {
                entries[tag]?.returned = .unroutable(code: message.code, text: message.text)
                return
            }
            tag += 1
        }
    }

    /// basic.ack: the broker has done with one message or with all up to it; those that came back went nowhere.
    mutating func confirmed(tag: UInt64, isMultiple: Bool, generation: Int) -> [Settlement] {
        settle(tag: tag, isMultiple: isMultiple, generation: generation, outcome: .confirmed)
    }

    /// basic.nack: the broker could not take one message or all up to it.
    mutating func nacked(tag: UInt64, isMultiple: Bool, generation: Int) -> [Settlement] {
        settle(tag: tag, isMultiple: isMultiple, generation: generation, outcome: .nacked)
    }

    /// The channel is gone, alone or with its connection: whatever was not answered never will be.
    mutating func closed(_ doubt: PublishOutcome.Doubt, isConnectionLost: Bool) -> [Settlement] {
        isOpen = false
        if isConnectionLost { blockedReason = nil }
        let tags = entries.keys.sorted()
        let settlements = tags.compactMap { entries[$0] }.map { Settlement(ticket: $0.ticket, outcome: .unknown(doubt)) }
        entries.removeAll()
        return settlements
    }

    /// Gives up waiting for those whose time is over; an answer that comes later settles nothing.
    ///
    /// Messages run out of time in the order in which they were sent, so the first that has time left ends the search.
    mutating func expired(at now: ContinuousClock.Instant) -> [Settlement] {
        var settlements: [Settlement] = []
        while let entry = entries[firstTag], entry.deadline <= now {
            entries.removeValue(forKey: firstTag)
            settlements.append(Settlement(ticket: entry.ticket, outcome: entry.returned ?? .unknown(.timedOut)))
            skipSettled()
        }
        return settlements
    }

    mutating func blocked(reason: String) { blockedReason = reason }
    mutating func unblocked() { blockedReason = nil }

    private mutating func settle(tag: UInt64, isMultiple: Bool, generation: Int, outcome: PublishOutcome) -> [Settlement] {
        guard generation == self.generation, isOpen, tag <= lastTag else { return [] }
        var settlements: [Settlement] = []
        func take(_ tag: UInt64) {
            guard let entry = entries.removeValue(forKey: tag) else { return }
            settlements.append(Settlement(ticket: entry.ticket, outcome: entry.returned ?? outcome))
        }
        if isMultiple {
            // All up to this one; zero means all (AMQP 0-9-1, 1.8.3.13).
            let last = tag == 0 ? lastTag : tag
            while firstTag <= last {
                take(firstTag)
                firstTag += 1
            }
        } else {
            take(tag)
        }
        skipSettled()
        return settlements
    }

    private mutating func skipSettled() {
        while firstTag <= lastTag, entries[firstTag] == nil { firstTag += 1 }
    }
}
