/// Bounds how many do something at once; a few more wait for their turn, first come, first served.
///
/// A pure state machine: ``ConcurrencyLimit`` holds the lock, wakes who waits and watches their deadlines. At all times
/// `held + free = limit`, and nobody waits while a permit is free.
struct Bulkhead: Hashable, Sendable {
    enum Arrival: Hashable, Sendable {
        /// The caller has a permit.
        case admitted
        /// The caller gets one from a later ``release()``, unless it gives up before.
        case waits
        /// Too many wait already.
        case refused
    }

    /// Permits held at once, at most.
    let limit: Int
    /// Callers that wait, at most; 0 for no waiting.
    let waitingLimit: Int
    private(set) var held = 0
    /// In order of arrival.
    private(set) var waiting: [Int] = []

    init(limit: Int, waitingLimit: Int) {
        self.limit = limit
        self.waitingLimit = waitingLimit
    }

    /// - Parameter caller: A number that no other caller has.
    mutating func arrive(_ caller: Int) -> Arrival {
        if held < limit {
            held += 1
            return .admitted
        }
        guard waiting.count < waitingLimit else { return .refused }
        waiting.append(caller)
        return .waits
    }

    /// Gives a permit back.
    ///
    /// - Returns: Who waited for it longest and has it now; nil when nobody waits and it is free.
    mutating func release() -> Int? {
        precondition(held > 0, "released a permit that nobody holds")
        guard waiting.isEmpty else { return waiting.removeFirst() }
        held -= 1
        return nil
    }

    /// Ends a wait, before its turn or after.
    ///
    /// - Returns: Whether the caller leaves without a permit. Otherwise its turn came first: the permit is its own, to be released like any other.
    mutating func giveUp(_ caller: Int) -> Bool {
        guard let index = waiting.firstIndex(of: caller) else { return false }
        waiting.remove(at: index)
        return true
    }
}
