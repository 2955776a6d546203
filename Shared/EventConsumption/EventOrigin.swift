internal import Contracts
internal import EventBroker
internal import Fleet

/// Who published a message.
enum EventPublisher: Sendable, Hashable {
    /// By the broker's word: it refuses a `user-id` that is not the publishing connection's user.
    case user(String)
    /// The message names none.
    case nobody
    /// Of a dead letter that was written before this was kept.
    case notKept
    /// An operator says that it is genuine.
    case vouchedFor

    init(userID: String?) {
        self = if let userID, !userID.isEmpty { .user(userID) } else { .nobody }
    }

    /// As a dead letter keeps it.
    init(stored: String?) {
        self = stored.map { $0.isEmpty ? .nobody : .user($0) } ?? .notKept
    }

    var stored: String? {
        switch self {
        case .user(let name): name
        case .nobody: ""
        case .notKept, .vouchedFor: nil
        }
    }

    /// Whether it is the relay of one of these services, or is taken for it.
    func isRelay(ofAnyOf producers: some Sequence<String>) -> Bool {
        switch self {
        case .user(let name): producers.contains { FleetService.relayUser(of: $0).utf8.elementsEqual(name.utf8) }
        case .nobody: false
        case .notKept, .vouchedFor: true
        }
    }
}

extension EventPublisher: CustomStringConvertible {
    var description: String {
        switch self {
        case .user(let name): name
        case .nobody: "nobody who is named"
        case .notKept, .vouchedFor: "somebody"
        }
    }
}

/// Whether a message is what it says: published by the relay of its type's producer, under its own type, and not in the future.
///
/// Nothing that a message says of itself proves it, and a routing key doesn't either: a publisher may name further ones in the headers `CC`
/// and `BCC`, which no permission of the broker looks at. So the producer of the type is demanded by its broker user.
struct EventOrigin: Sendable {
    /// How far the time of an event may lie ahead of this process's clock. A clock that is wrong by more makes the event wait, and a dead
    /// letter in the end.
    static let maximumTimeAhead = Duration.seconds(10)

    private let queue: EventConsumerQueue
    /// The services whose events reach the queue.
    private let producers: Set<String>

    init(_ queue: EventConsumerQueue) {
        self.queue = queue
        producers = Set(queue.patterns.flatMap(Self.producers))
    }

    private static func producers(of pattern: String) -> [String] {
        let area = pattern.prefix { $0 != "." }
        guard area == "*" || area == "#" else { return EventCatalogue.producer(of: pattern).map { [$0] } ?? [] }
        return EventCatalogue.entries.map(\.producer)
    }

    static func isAhead(_ time: Timestamp, now: Timestamp) -> Bool { time.earlier(by: maximumTimeAhead) > now }

    /// What speaks against a message before it is read: what a stranger sent is not looked at.
    func refusal(of raw: RawMessage) -> EventFailure? {
        guard !raw.publisher.isRelay(ofAnyOf: producers) else { return nil }
        return .forged("it was published by \(raw.publisher), who is no producer of this queue's events")
    }

    /// What speaks against an event that was read.
    func refusal(of envelope: EventEnvelope, in raw: RawMessage, now: Timestamp) -> EventFailure? {
        guard let producer = EventCatalogue.producer(of: envelope.type) else { return .forged("its type has no producer") }
        guard raw.publisher.isRelay(ofAnyOf: [producer]) else {
            return .forged("it was published by \(raw.publisher); events of its type come from \(FleetService.relayUser(of: producer))")
        }
        guard envelope.source.utf8.elementsEqual(producer.utf8) else { return .forged("its source is not \(producer), whose type it has") }
        // What came back by the default exchange has the queue's name for its key; a dead letter that had to leave it out has none.
        let keys = [envelope.type, queue.service, ""]
        guard keys.contains(where: { $0.utf8.elementsEqual(raw.routingKey.utf8) }) else {
            return .forged("it was published under another routing key than its type")
        }
        if Self.isAhead(envelope.time, now: now) {
            return .transient("its time lies ahead of this process's clock by more than \(Self.maximumTimeAhead.components.seconds) seconds")
        }
        return nil
    }
}
