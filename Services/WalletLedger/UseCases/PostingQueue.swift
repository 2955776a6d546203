import Contracts
import DequeModule
import Dispatch
import FoundationEssentials
import Metrics
import SignedAPI
import Synchronization

/// The bounded queue before the batch writers.
///
/// There is no timer: a writer takes what waits, and while it commits the next batch gathers. Two writers never hold the same wallet
/// or key at a time, since the second would only wait for the first one's locks and then check every row again.
package final class PostingQueue: Sendable {
    /// A request and who waits for its outcome.
    final class Item: Sendable {
        let request: PostingRequest
        let size: Int
        private let caller: Caller
        private let index: Int

        init(_ request: PostingRequest, _ caller: Caller, index: Int) {
            self.request = request
            size = request.order.size
            self.caller = caller
            self.index = index
        }

        func resume(returning outcome: PostingOutcome) { caller.resume(index, returning: outcome) }

        func isOf(_ other: Caller) -> Bool { caller === other }
    }

    /// Waits for the outcomes of all its requests.
    final class Caller: Sendable {
        private struct State {
            var outcomes: [PostingOutcome?]
            var missing: Int
            var continuation: CheckedContinuation<[PostingOutcome], Never>?
        }

        private let state: Mutex<State>

        init(count: Int) {
            state = Mutex(State(outcomes: Array(repeating: nil, count: count), missing: count))
        }

        func wait(_ continuation: CheckedContinuation<[PostingOutcome], Never>) {
            state.withLock { $0.continuation = continuation }
        }

        func resume(_ index: Int, returning outcome: PostingOutcome) {
            let done: (CheckedContinuation<[PostingOutcome], Never>, [PostingOutcome])? = state.withLock { state in
                state.outcomes[index] = outcome
                state.missing -= 1
                guard state.missing == 0, let continuation = state.continuation else { return nil }
                return (continuation, state.outcomes.compactMap(\.self))
            }
            if let (continuation, outcomes) = done { continuation.resume(returning: outcomes) }
        }
    }

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

    /// Waits for the request's outcome; when the caller's task is cancelled first, a request that no writer has taken is withdrawn.
    package func post(_ request: PostingRequest) async -> PostingOutcome {
        await post([request])[0]
    }

    /// The same for several requests, which are taken into the queue together or not at all, and are then decided each on its own.
    ///
    /// - Returns: the outcomes, in the order of the requests.
    package func post(_ requests: [PostingRequest]) async -> [PostingOutcome] {
        let caller = Caller(count: requests.count)
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                caller.wait(continuation)
                enqueue(requests.enumerated().map { Item($1, caller, index: $0) })
            }
        } onCancel: {
            withdraw(caller)
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

    private func withdraw(_ caller: Caller) {
        let items: [Item] = state.withLock { state in
            let items = state.waiting.filter { $0.isOf(caller) }
            state.waiting.removeAll { $0.isOf(caller) }
            state.waitingSize -= items.reduce(0) { $0 + $1.size }
            return Array(items)
        }
        for item in items { item.resume(returning: .failed(.unavailable)) }
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
            if let deadline = request.deadline, deadline < .now {
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
