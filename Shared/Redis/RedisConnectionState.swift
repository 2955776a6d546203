import DequeModule
package import NIOCore

/// Decides, for one connection, whose reply a reply is, and when to stop waiting.
///
/// Replies come in the order of the commands, and nothing else ties them together. So a command that nobody waits for any more keeps its
/// place until its reply has come or the connection has ended: a caller who gives up never gets another's reply, nor gives theirs away.
package struct RedisConnectionState<Waiter>: ~Copyable {
    package enum Submission: Equatable {
        case accepted
        case refused(RedisError)
    }

    package enum Reception {
        /// The reply, and how long it took. With `isLast` the connection is of no more use and should be closed.
        case answer(Waiter, Result<RedisValue, RedisError>, after: TimeAmount, isLast: Bool)
        /// The reply came, but its caller had been told that it did not.
        case late
        /// What the server said unasked.
        case outOfBand
        /// A reply to nothing; the connection should be closed.
        case unsolicited
    }

    package struct Lookout {
        package var timedOut: [Waiter] = []
        /// The oldest command has been unanswered for too long; the connection should be closed.
        package var isDead = false
        /// When to look again; nil when nothing is waited for.
        package var next: NIODeadline?
    }

    private struct Slot {
        let waiter: Waiter
        let sentAt: NIODeadline
        let deadline: NIODeadline
        var isWaitedFor = true
    }

    /// The codes of errors after which another connection may reach a server that does what is asked: this one is a replica by now.
    private static var finalCodes: Set<String> { ["READONLY"] }

    private let maximumInFlight: Int
    private let silenceLimit: TimeAmount
    private var slots: Deque<Slot> = []
    /// Why the connection has ended; nil while it is open.
    package private(set) var end: RedisError?

    package init(maximumInFlight: Int, silenceLimit: TimeAmount) {
        self.maximumInFlight = maximumInFlight
        self.silenceLimit = silenceLimit
    }

    /// Commands that have been accepted and not answered.
    package var inFlight: Int { slots.count }
    package var isOpen: Bool { end == nil }

    /// A caller wants to send a command; when it is accepted, its bytes must follow those of the one accepted before.
    package mutating func submit(_ waiter: Waiter, now: NIODeadline, timeout: TimeAmount) -> Submission {
        guard end == nil else { return .refused(.notConnected) }
        guard slots.count < maximumInFlight else { return .refused(.tooManyInFlight) }
        slots.append(Slot(waiter: waiter, sentAt: now, deadline: now + timeout))
        return .accepted
    }

    /// A complete reply has come.
    package mutating func received(_ value: RedisValue, now: NIODeadline) -> Reception {
        if case .push = value { return .outOfBand }
        guard let slot = slots.popFirst() else { return .unsolicited }
        guard slot.isWaitedFor else { return .late }
        let waited = now - slot.sentAt
        guard case .error(let error) = value else { return .answer(slot.waiter, .success(value), after: waited, isLast: false) }
        return .answer(slot.waiter, .failure(.server(error)), after: waited, isLast: Self.finalCodes.contains(error.code))
    }

    /// Time has passed.
    package mutating func look(now: NIODeadline) -> Lookout {
        var lookout = Lookout()
        guard end == nil, let oldest = slots.first else { return lookout }
        lookout.isDead = now - oldest.sentAt >= silenceLimit
        lookout.next = oldest.sentAt + silenceLimit
        for index in slots.indices where slots[index].isWaitedFor {
            let deadline = slots[index].deadline
            if deadline <= now {
                slots[index].isWaitedFor = false
                lookout.timedOut.append(slots[index].waiter)
            } else if lookout.next.map({ deadline < $0 }) ?? true {
                lookout.next = deadline
            }
        }
        return lookout
    }

    /// The connection has ended, or is to end.
    ///
    /// - Returns: Those who still wait; nobody when it had ended already.
    package mutating func close(_ error: RedisError) -> [Waiter] {
        guard end == nil else { return [] }
        end = error
        defer { slots.removeAll() }
        return slots.filter(\.isWaitedFor).map(\.waiter)
    }
}
