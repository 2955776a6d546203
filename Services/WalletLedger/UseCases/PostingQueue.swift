import Contracts
import DequeModule
import Dispatch
import FoundationEssentials
import Metrics
import Synchronization

/// The bounded queue before the batch writers.
///
/// There is no timer: a writer takes what waits, and while it commits the next batch gathers. Two writers never hold the same wallet
/// or key at a time, since the second would only wait for the first one's locks and then check every row again.
package final class PostingQueue: Sendable {
    /// A request and its waiting caller.
    final class Item: Sendable {
        let request: PostingRequest
        let continuation: CheckedContinuation<PostingOutcome, Never>

        init(_ request: PostingRequest, _ continuation: CheckedContinuation<PostingOutcome, Never>) {
            self.request = request
            self.continuation = continuation
        }
    }

    private struct State {
        var waiting = Deque<Item>()
        var inFlight: [Set<WalletID>]
        var inFlightKeys: [Set<UUID>]
        var idle: Set<Int> = []
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

    package init(batchLimit: Int, writers: Int) {
        self.batchLimit = batchLimit
        capacity = batchLimit * Self.capacityPerBatchLimit
        state = Mutex(
            State(inFlight: Array(repeating: [], count: writers), inFlightKeys: Array(repeating: [], count: writers)))
        wakeUps = (0..<writers).map { _ in DispatchSemaphore(value: 0) }
    }

    package var depth: Int { state.withLock { $0.waiting.count } }

    /// Waits for the request's outcome; when the caller's task is cancelled first, a request that no writer has taken is withdrawn.
    package func post(_ request: PostingRequest) async -> PostingOutcome {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                enqueue(Item(request, continuation))
            }
        } onCancel: {
            withdraw(request.order.transferID)
        }
    }

    private func enqueue(_ item: Item) {
        enum Admission {
            case admitted(wake: Int?)
            case refused(PostingFailure)
        }
        let admission: Admission = state.withLock { state in
            guard !state.isClosed else { return .refused(.unavailable) }
            guard state.waiting.count < capacity else {
                return .refused(.overloaded(retryAfterSeconds: max(1, Int(Double(state.waiting.count) / state.drainRate))))
            }
            state.waiting.append(item)
            return .admitted(wake: state.idle.popFirst())
        }
        switch admission {
        case .admitted(let writer):
            if let writer { wakeUps[writer].signal() }
        case .refused(let failure):
            if case .overloaded = failure { rejected.increment() }
            item.continuation.resume(returning: .failed(failure))
        }
    }

    private func withdraw(_ transferID: TransferID) {
        let item: Item? = state.withLock { state in
            guard let index = state.waiting.firstIndex(where: { $0.request.order.transferID == transferID }) else { return nil }
            return state.waiting.remove(at: index)
        }
        item?.continuation.resume(returning: .failed(.unavailable))
    }

    /// The next batch for a writer; blocks its thread until there is one. `nil` once the queue is closed and empty.
    /// - Parameter beforeWaiting: runs before the thread blocks.
    func take(writer: Int, beforeWaiting: () -> Void) -> [Item]? {
        while true {
            var late: [Item] = []
            let batch: [Item]? = state.withLock { state in
                let batch = takeBatch(&state, writer: writer, late: &late)
                guard batch.isEmpty else { return batch }
                if state.isClosed, state.waiting.isEmpty { return nil }
                state.idle.insert(writer)
                return []
            }
            for item in late { item.continuation.resume(returning: .failed(.unavailable)) }
            guard let batch else { return nil }
            if !batch.isEmpty { return batch }
            beforeWaiting()
            wakeUps[writer].wait()
        }
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
        while batch.count < batchLimit, let item = state.waiting.popFirst() {
            let request = item.request
            if let deadline = request.deadline, deadline < .now {
                late.append(item)
            } else if !blockedWallets.isEmpty,
                request.order.walletIDs.contains(where: blockedWallets.contains) || blockedKeys.contains(request.key.id)
            {
                // What comes later for the same wallets or key stays behind it, so arrival order holds per wallet.
                blockedWallets.formUnion(request.order.walletIDs)
                blockedKeys.insert(request.key.id)
                kept.append(item)
            } else {
                batch.append(item)
                if state.inFlight.count > 1 {
                    wallets.formUnion(request.order.walletIDs)
                    keys.insert(request.key.id)
                }
            }
        }
        state.waiting = kept + state.waiting
        state.inFlight[writer] = wallets
        state.inFlightKeys[writer] = keys
        return batch
    }

    /// Everything that waits, for a writer that has had no connection for too long.
    func takeAll() -> [Item] {
        state.withLock { state in
            defer { state.waiting = [] }
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
