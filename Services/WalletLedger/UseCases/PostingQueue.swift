import Contracts
import DequeModule
import Dispatch
import FoundationEssentials
import HTTPService
import Idempotency
import Metrics
import Synchronization

/// The bounded queue before the batch writers.
///
/// A writer takes what waits, and while it commits the next batch gathers; no timer holds a batch up. Two writers never hold the same
/// wallet or key at a time, since the second would only wait for the first one's locks and then check every row again.
///
/// Every caller is answered at its deadline, whatever the writers do: a request that none has taken is withdrawn, of any other the
/// outcome is unknown.
package final class PostingQueue: Sendable {
    private struct State {
        var waiting = Deque<Item>()
        /// Postings in `waiting`.
        var waitingSize = 0
        var inFlight: [Set<WalletID>]
        var inFlightKeys: [Set<UUID>]
        var idle: Set<Int> = []
        /// Writers at work on a batch.
        var busy: Set<Int> = []
        /// Whether all that waits was found to need a wallet of a batch at work; until one ends nobody looks again.
        var isBlocked = false
        var isClosed = false
        /// Who waits, and some who have been answered since the last look at the deadlines.
        var callers: [Caller] = []
        var isWatched = false
        /// Requests per second, as the last batches went.
        var drainRate = 1_000.0
    }

    package let capacity: Int
    private let batchLimit: Int
    private let state: Mutex<State>
    /// One per writer, signalled once per batch at most.
    private let wakeUps: [DispatchSemaphore]
    private let rejected = Counter(label: "ledger_queue_rejected_total")

    /// The queue holds four batches: more would only wait longer than callers do.
    package static let capacityPerBatchLimit = 4
    /// What waits beside a batch at work before another writer takes it: three quarters of a batch. Measured: with less, 256 callers of
    /// one transfer each are slower than with one writer; callers of the batch endpoint, who fill two batches, gain half.
    private let leastBesideOthers: Int

    package init(batchLimit: Int, writers: Int) {
        self.batchLimit = batchLimit
        leastBesideOthers = max(1, batchLimit * 3 / 4)
        capacity = batchLimit * Self.capacityPerBatchLimit
        state = Mutex(
            State(inFlight: Array(repeating: [], count: writers), inFlightKeys: Array(repeating: [], count: writers)))
        wakeUps = (0..<writers).map { _ in DispatchSemaphore(value: 0) }
    }

    /// Postings that wait for a writer.
    package var depth: Int { state.withLock { $0.waitingSize } }

    /// How long a caller waits that has no deadline: a lost connection may come back meanwhile.
    package static let patience = BatchWriter.reconnectLimit + .seconds(5)
    /// How late an answer at a deadline may be. One look at all callers costs less than a timer for each of them.
    private static let lookout = Duration.milliseconds(50)

    /// Waits for the request's outcome, until its deadline or until the caller's task is cancelled.
    package func post(_ request: PostingRequest) async -> PostingOutcome {
        await post([request])[0]
    }

    /// The same for several requests, which are taken into the queue together or not at all, and are then decided each on its own.
    ///
    /// - Returns: the outcomes, in the order of the requests, by the earliest of their deadlines.
    package func post(_ requests: [PostingRequest]) async -> [PostingOutcome] {
        // Without this the queue could only say that it doesn't know.
        guard !Task.isCancelled else { return requests.map { _ in .failed(.unavailable) } }
        let caller = Caller(count: requests.count, deadline: requests.compactMap(\.deadline).min() ?? .now + Self.patience)
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                caller.wait(continuation)
                guard !caller.isAnswered else { return }
                enqueue(requests.enumerated().map { Item($1, caller, index: $0) })
            }
        } onCancel: {
            giveUp(caller)
        }
    }

    private func enqueue(_ items: [Item]) {
        enum Admission {
            case admitted(wake: Int?)
            case refused(PostingFailure)
        }
        let admission: Admission = state.withLock { state in
            guard !state.isClosed else { return .refused(.unavailable) }
            let size = items.reduce(0) { $0 + $1.size }
            // An empty queue takes anything, or a large batch could never pass a small queue.
            guard state.waiting.isEmpty || state.waitingSize + size <= capacity else {
                return .refused(.overloaded(retryAfterSeconds: max(1, Int(Double(state.waitingSize) / state.drainRate))))
            }
            state.waiting.append(contentsOf: items)
            state.waitingSize += size
            if let caller = items.first?.caller { watch(caller, &state) }
            return .admitted(wake: isWorthTaking(state) ? state.idle.popFirst() : nil)
        }
        switch admission {
        case .admitted(let writer):
            if let writer { wakeUps[writer].signal() }
        case .refused(let failure):
            if case .overloaded = failure { rejected.increment(by: items.count) }
            for item in items { item.resume(returning: .failed(failure)) }
        }
    }

    /// Must hold the lock: the state is the caller's.
    private func watch(_ caller: Caller, _ state: inout State) {
        state.callers.append(caller)
        guard !state.isWatched else { return }
        state.isWatched = true
        // The queue's own task, not a caller's: it ends when nobody waits.
        Task { await watchDeadlines() }
    }

    private func watchDeadlines() async {
        var waiting: [Caller] = []
        while true {
            try? await Task.sleep(for: Self.lookout)
            waiting += state.withLock { state in
                defer { state.callers.removeAll(keepingCapacity: true) }
                return state.callers
            }
            let now = ContinuousClock.now
            for caller in waiting where caller.deadline <= now { giveUp(caller) }
            waiting.removeAll { $0.isAnswered }
            guard waiting.isEmpty else { continue }
            let isOver = state.withLock { state in
                state.isWatched = !state.callers.isEmpty
                return !state.isWatched
            }
            if isOver { return }
        }
    }

    /// Answers a caller that does not wait any longer.
    private func giveUp(_ caller: Caller) {
        let items: [Item] = state.withLock { state in
            let items = state.waiting.filter { $0.caller === caller }
            state.waiting.removeAll { $0.caller === caller }
            state.waitingSize -= items.reduce(0) { $0 + $1.size }
            return Array(items)
        }
        for item in items { item.resume(returning: .failed(.unavailable)) }
        // A writer has the rest.
        caller.resumeAll(returning: .failed(.outcomeUnknown))
    }

    /// The next batch for a writer; blocks its thread until there is one. `nil` once the queue is closed and empty.
    /// - Parameter beforeWaiting: runs before the thread blocks.
    func take(writer: Int, beforeWaiting: () -> Void) -> [Item]? {
        while true {
            var late: [Item] = []
            let batch: [Item]? = state.withLock { state in
                let batch = isWorthTaking(state) ? takeBatch(&state, writer: writer, late: &late) : []
                guard batch.isEmpty else {
                    state.busy.insert(writer)
                    return batch
                }
                if state.isClosed, state.waiting.isEmpty { return nil }
                state.idle.insert(writer)
                return []
            }
            for item in late { item.resume(returning: .failed(.unavailable)) }
            guard let batch else { return nil }
            if !batch.isEmpty { return batch }
            beforeWaiting()
            wakeUps[writer].wait()
        }
    }

    /// Whether an idle writer should take what waits. While another one is at work it gathers first: two small batches at a time cost
    /// more than one after the other.
    private func isWorthTaking(_ state: State) -> Bool {
        state.busy.isEmpty || (state.waitingSize >= leastBesideOthers && !state.isBlocked) || state.isClosed
    }

    private func takeBatch(_ state: inout State, writer: Int, late: inout [Item]) -> [Item] {
        var blockedWallets = Set<WalletID>()
        var blockedKeys = Set<UUID>()
        for other in state.inFlight.indices where other != writer {
            blockedWallets.formUnion(state.inFlight[other])
            blockedKeys.formUnion(state.inFlightKeys[other])
        }
        var batch: [Item] = []
        var wallets = Set<WalletID>()
        var keys = Set<UUID>()
        var kept = Deque<Item>()
        var size = 0
        while let item = state.waiting.popFirst() {
            // An atomic batch that is larger than the limit stands alone.
            guard size == 0 || size + item.size <= batchLimit else {
                state.waiting.prepend(item)
                break
            }
            let request = item.request
            if item.caller.deadline < .now {
                late.append(item)
            } else if !blockedWallets.isEmpty,
                request.order.walletIDs.contains(where: blockedWallets.contains)
                    || request.key.map({ blockedKeys.contains($0.id) }) == true
            {
                // What comes later for the same wallets or key stays behind it, so arrival order holds per wallet.
                blockedWallets.formUnion(request.order.walletIDs)
                if let key = request.key { blockedKeys.insert(key.id) }
                kept.append(item)
            } else {
                batch.append(item)
                size += item.size
                if state.inFlight.count > 1 {
                    wallets.formUnion(request.order.walletIDs)
                    if let key = request.key { keys.insert(key.id) }
                }
            }
        }
        state.isBlocked = batch.isEmpty && !kept.isEmpty
        state.waiting = kept + state.waiting
        state.waitingSize = state.waiting.reduce(0) { $0 + $1.size }
        state.inFlight[writer] = wallets
        state.inFlightKeys[writer] = keys
        return batch
    }

    /// Everything that waits, for a writer that has had no connection for too long.
    func takeAll() -> [Item] {
        state.withLock { state in
            defer {
                state.waiting = []
                state.waitingSize = 0
            }
            return Array(state.waiting)
        }
    }

    var isClosedAndEmpty: Bool { state.withLock { $0.isClosed && $0.waiting.isEmpty } }

    /// Holds up the calling thread, which must be a writer's own.
    static func blockThread(for duration: Duration) {
        let (seconds, attoseconds) = duration.components
        _ = DispatchSemaphore(value: 0).wait(timeout: .now() + Double(seconds) + Double(attoseconds) / 1e18)
    }

    /// A writer has answered its batch: its wallets are free again.
    func finished(writer: Int, count: Int, seconds: Double) {
        let wake: Int? = state.withLock { state in
            state.inFlight[writer] = []
            state.inFlightKeys[writer] = []
            if seconds > 0 { state.drainRate = max(1, 0.9 * state.drainRate + 0.1 * Double(count) / seconds) }
            state.busy.remove(writer)
            state.isBlocked = false
            // The writer itself comes back for what waits.
            return state.waitingSize >= leastBesideOthers ? state.idle.popFirst() : nil
        }
        if let wake { wakeUps[wake].signal() }
    }

    /// A writer has lost its connection. What it had taken is still its own, but nobody gathers because of it any more.
    func lost(writer: Int) {
        let wake: Int? = state.withLock { state in
            state.busy.remove(writer)
            state.isBlocked = false
            return state.waiting.isEmpty ? nil : state.idle.popFirst()
        }
        if let wake { wakeUps[wake].signal() }
    }

    /// Takes no more requests; writers finish what waits and then end.
    package func close() {
        let idle: Set<Int> = state.withLock { state in
            state.isClosed = true
            defer { state.idle = [] }
            return state.idle
        }
        for writer in idle { wakeUps[writer].signal() }
    }
}
