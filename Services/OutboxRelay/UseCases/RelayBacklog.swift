import DequeModule
import Outbox

/// An event on its way through a relay.
struct RelayItem: Sendable, Hashable {
    let row: OutboxRow
    let epoch: Int64
    /// Failed attempts so far.
    let attempts: Int
    /// Whether it lies in `outbox_held`; otherwise it comes straight from the outbox.
    let isHeld: Bool
}

/// Which events a relay may send now, and what becomes of them, without any input or output.
///
/// The order of a partition key is kept by three rules. Items are handed out in the order of their ids. When something must be sent again,
/// nothing is handed out until everything in flight is settled, and then in that order again. And an event that the broker refuses holds
/// back those of its key that come after it, and no others.
struct RelayBacklog: Sendable {
    private struct Key: Sendable {
        enum Phase: Sendable {
            /// The first of the key's held events waits for its next attempt.
            case failing
            /// Events of the key are on their way from `outbox_held`.
            case sending
            /// The rest of them is to be fetched.
            case releasing
        }

        let partition: Int
        var phase: Phase
        /// Of its held events, those in memory.
        var outstanding = 0
        var hasFailed = false
        /// Whether these are all of its held events, so that what is new goes behind them and need not be held.
        var areAll = false
    }

    private let maximumAttempts: Int
    private let pauseAfter: @Sendable (Int) -> Double
    private var ready: Deque<RelayItem> = []
    private var inFlight: [Int64: RelayItem] = [:]
    private var returned: [RelayItem] = []
    private var suspects: Set<Int64> = []
    private var keys: [String: Key] = [:]
    /// To be written with the next look.
    private var held: [RelayChanges.Held] = []
    private var released: [RelayChanges.Released] = []

    /// - Parameter pause: Seconds before another attempt, by the number of failed ones.
    init(maximumAttempts: Int, pause: @escaping @Sendable (_ attempts: Int) -> Double) {
        self.maximumAttempts = maximumAttempts
        pauseAfter = pause
    }

    /// Events in memory.
    var count: Int { ready.count + inFlight.count + returned.count + held.count }
    var inFlightCount: Int { inFlight.count }
    /// When the oldest event in memory occurred that is not set aside.
    var oldest: OutboxRow? {
        let waiting = [ready.first?.row].compactMap { $0 } + inFlight.values.map(\.row) + returned.map(\.row)
        return waiting.min { $0.occurredAt < $1.occurredAt }
    }

    /// Whether anything of a partition is in memory.
    func holds(_ partition: Int) -> Bool {
        ready.contains { $0.row.partition == partition } || returned.contains { $0.row.partition == partition }
            || inFlight.values.contains { $0.row.partition == partition } || held.contains { $0.partition == partition }
            || released.contains { $0.partition == partition }
    }

    var hasHeldKeys: Bool { !keys.isEmpty }

    // MARK: Leases

    mutating func lease(_ heldKeys: [DeferredEventStore.DeferredKey]) {
        for key in heldKeys { keys[key.partitionKey] = Key(partition: key.partition, phase: key.isFailing ? .failing : .releasing) }
    }

    /// A partition is another's: nothing of it is sent any more, and what is said of it is not heard.
    mutating func drop(_ partition: Int) {
        ready.removeAll { $0.row.partition == partition }
        returned.removeAll { $0.row.partition == partition }
        held.removeAll { $0.partition == partition }
        released.removeAll { $0.partition == partition }
        inFlight = inFlight.filter { $0.value.row.partition != partition }
        suspects.formIntersection(ready.map(\.row.id) + returned.map(\.row.id) + inFlight.keys)
        keys = keys.filter { $0.value.partition != partition }
    }

    // MARK: What comes in

    /// Takes new events, ascending; those whose key is held back are set aside.
    mutating func add(_ rows: [OutboxRow], epoch: (Int) -> Int64?) {
        for row in rows {
            guard let epoch = epoch(row.partition) else { continue }
            let item = RelayItem(row: row, epoch: epoch, attempts: 0, isHeld: false)
            if goesOn(row.partitionKey) { insert(item) } else { wait(item) }
        }
    }

    /// Whether an event that is not held may be sent, behind those of its key that are on their way.
    private func goesOn(_ name: String) -> Bool {
        keys[name]?.areAll ?? true
    }

    /// The keys whose first held event is to be looked at, and those whose held events are all to be fetched. None of which something is
    /// under way or yet to be written: it might come before them.
    var heldKeys: (failing: [String], releasing: [String]) {
        guard !keys.isEmpty else { return ([], []) }
        let busy = Set(
            held.map(\.partitionKey) + returned.map(\.row.partitionKey) + inFlight.values.filter { !$0.isHeld }.map(\.row.partitionKey))
        var found: (failing: [String], releasing: [String]) = ([], [])
        for (name, key) in keys where !busy.contains(name) {
            switch key.phase {
            case .failing: found.failing.append(name)
            case .releasing: found.releasing.append(name)
            case .sending: break
            }
        }
        return found
    }

    /// Takes the first held events of keys, whose time has come.
    mutating func retry(_ rows: [DeferredEventStore.DeferredEvent], epoch: (Int) -> Int64?) {
        for held in rows {
            guard case .failing? = keys[held.row.partitionKey]?.phase else { continue }
            send([held], areAll: false, of: held.row.partitionKey, epoch: epoch)
        }
    }

    /// Takes the held events of a key, in order; with all of them on their way, the key is free once they have arrived.
    mutating func release(_ name: String, _ rows: [DeferredEventStore.DeferredEvent], areAll: Bool, epoch: (Int) -> Int64?) {
        guard case .releasing? = keys[name]?.phase else { return }
        if rows.isEmpty { keys[name] = nil } else { send(rows, areAll: areAll, of: name, epoch: epoch) }
    }

    private mutating func send(_ rows: [DeferredEventStore.DeferredEvent], areAll: Bool, of name: String, epoch: (Int) -> Int64?) {
        guard var key = keys[name], let epoch = epoch(key.partition) else { return }
        key.phase = .sending
        key.outstanding = rows.count
        key.hasFailed = false
        key.areAll = areAll
        keys[name] = key
        for held in rows { insert(RelayItem(row: held.row, epoch: epoch, attempts: held.attempts, isHeld: true)) }
    }

    /// In the order of ids.
    private mutating func insert(_ item: RelayItem) {
        var (low, high) = (ready.startIndex, ready.endIndex)
        if let last = ready.last, last.row.id < item.row.id { low = high }
        while low < high {
            let middle = (low + high) / 2
            if ready[middle].row.id < item.row.id { low = middle + 1 } else { high = middle }
        }
        ready.insert(item, at: low)
    }

    private mutating func wait(_ item: RelayItem) {
        suspects.remove(item.row.id)
        keys[item.row.partitionKey]?.areAll = false
        held.append(
            RelayChanges.Held(
                id: item.row.id, partition: item.row.partition, epoch: item.epoch, partitionKey: item.row.partitionKey, state: .waiting,
                attempts: 0, reason: nil, pause: 0))
    }

    // MARK: What goes out

    /// The events to be sent now, in order; they are in flight from here on.
    mutating func next(atMost limit: Int) -> [RelayItem] {
        if !returned.isEmpty {
            guard inFlight.isEmpty else { return [] }
            let again = returned
            returned = []
            for item in again {
                if !item.isHeld, !goesOn(item.row.partitionKey) {
                    wait(item)
                } else if item.isHeld, keys[item.row.partitionKey]?.hasFailed ?? true {
                    // It stays where it lies, behind the one that failed.
                    leave(item, hasFailed: true)
                } else {
                    insert(item)
                }
            }
        }
        var limit = limit - inFlight.count
        if !suspects.isEmpty { limit = inFlight.isEmpty ? 1 : 0 }
        var items: [RelayItem] = []
        while items.count < limit, let item = ready.popFirst() {
            inFlight[item.row.id] = item
            items.append(item)
        }
        return items
    }

    /// Takes what became of an event.
    ///
    /// - Returns: the event when it needs no more than a mark.
    mutating func settle(_ id: Int64, epoch: Int64, _ verdict: PublishVerdict) -> RelayItem? {
        guard let item = inFlight[id], item.epoch == epoch else { return nil }
        let isAlone = inFlight.count == 1
        inFlight[id] = nil
        switch verdict {
        case .published:
            suspects.remove(id)
            guard item.isHeld else { return item }
            released.append(RelayChanges.Released(id: id, partition: item.row.partition, epoch: epoch))
            leave(item, hasFailed: false)
        case .failed(let reason, let isFinal):
            suspects.remove(id)
            fail(item, reason: reason, isFinal: isFinal)
        case .again, .refused: returned.append(item)
        case .suspect(let reason):
            if isAlone, suspects.contains(id) {
                suspects.remove(id)
                fail(item, reason: reason, isFinal: true)
            } else {
                suspects.insert(id)
                returned.append(item)
            }
        }
        return nil
    }

    private mutating func fail(_ item: RelayItem, reason: String, isFinal: Bool) {
        let attempts = item.attempts + 1
        let isParked = isFinal || attempts >= maximumAttempts
        let name = item.row.partitionKey
        // Only the first of a key uses its attempts up: that those behind it failed with it says nothing more.
        if !isParked, let key = keys[name], !item.isHeld || key.hasFailed {
            if item.isHeld { leave(item, hasFailed: true) } else { wait(item) }
            return
        }
        held.append(
            RelayChanges.Held(
                id: item.row.id, partition: item.row.partition, epoch: item.epoch, partitionKey: name, state: isParked ? .parked : .failing,
                attempts: attempts, reason: reason, pause: isParked ? 0 : pauseAfter(attempts)))
        if item.isHeld {
            leave(item, hasFailed: !isParked)
        } else if !isParked {
            keys[name] = Key(partition: item.row.partition, phase: .failing)
            for behind in ready where behind.row.partitionKey == name { wait(behind) }
            ready.removeAll { $0.row.partitionKey == name }
        }
    }

    /// A held event is no longer in memory. When the last of its key has left, the key waits again or goes on.
    private mutating func leave(_ item: RelayItem, hasFailed: Bool) {
        let name = item.row.partitionKey
        guard var key = keys[name], case .sending = key.phase else { return }
        key.outstanding -= 1
        if hasFailed {
            key.hasFailed = true
            key.areAll = false
            // The rest of the key stays where it lies, behind the one that failed, and what is new joins it.
            let behind = ready.filter { $0.row.partitionKey == name }
            ready.removeAll { $0.row.partitionKey == name }
            key.outstanding -= behind.count(where: \.isHeld)
            suspects.subtract(behind.map(\.row.id) + [item.row.id])
            for new in behind where !new.isHeld { wait(new) }
        }
        if key.outstanding <= 0 {
            if key.areAll {
                keys[name] = nil
                return
            }
            key.phase = key.hasFailed ? .failing : .releasing
        }
        keys[name] = key
    }

    // MARK: What is to be written

    /// What was decided since; ``written(_:)`` tells that it is in the database.
    var changes: RelayChanges {
        var changes = RelayChanges()
        changes.held = held
        changes.released = released
        return changes
    }

    mutating func written(_ changes: RelayChanges) {
        held.removeFirst(changes.held.count)
        released.removeFirst(changes.released.count)
    }
}
