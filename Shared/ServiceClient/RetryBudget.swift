/// Bounds the calls to one callee that are in a retry to a share of all its calls, so that retries never multiply an overload.
///
/// A pure state machine. The share is of the calls now, waiting ones included; the floor lets a caller with little traffic retry at all.
struct RetryBudget: Hashable, Sendable {
    static let defaultPercent = 20
    static let defaultFloor = 3

    let percent: Int
    let floor: Int
    private(set) var calls = 0
    private(set) var retries = 0

    init(percent: Int = RetryBudget.defaultPercent, floor: Int = RetryBudget.defaultFloor) {
        self.percent = percent
        self.floor = floor
    }

    /// Retries that may be under way beside the calls of this moment.
    var limit: Int { max(floor, calls * percent / 100) }

    mutating func beginCall() { calls += 1 }

    mutating func endCall() {
        precondition(calls > 0, "ended a call that had not begun")
        calls -= 1
    }

    /// - Returns: Whether there is to be a retry; if so, ``endRetry()`` ends it, pause included.
    mutating func beginRetry() -> Bool {
        guard retries < limit else { return false }
        retries += 1
        return true
    }

    mutating func endRetry() {
        precondition(retries > 0, "ended a retry that had not begun")
        retries -= 1
    }
}
