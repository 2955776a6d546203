internal import DequeModule
internal import Synchronization

/// Deliveries on their way from the connection's thread to whoever asks next; the broker's prefetch bounds it.
final class DeliveryQueue: Sendable {
    private final class Waiter: Sendable {
        private let continuation: CheckedContinuation<AMQPDelivery?, Never>
        init(_ continuation: CheckedContinuation<AMQPDelivery?, Never>) { self.continuation = continuation }
        func resume(_ delivery: AMQPDelivery?) { continuation.resume(returning: delivery) }
    }

    private struct State {
        var waiting: Deque<AMQPDelivery> = []
        var waiters: Deque<(number: Int, waiter: Waiter)> = []
        var nextNumber = 0
        /// Those that were cancelled before they began to wait.
        var cancelled: Set<Int> = []
        var hasEnded = false
    }

    private let state = Mutex(State())

    func append(_ delivery: AMQPDelivery) {
        let waiter: Waiter? = state.withLock { state in
            guard !state.hasEnded else { return nil }
            if let (_, waiter) = state.waiters.popFirst() { return waiter }
            state.waiting.append(delivery)
            return nil
        }
        waiter?.resume(delivery)
    }

    /// Takes what is there, in its order, and waits for nothing.
    func take(atMost limit: Int) -> [AMQPDelivery] {
        state.withLock { state in
            let taken = Array(state.waiting.prefix(limit))
            state.waiting.removeFirst(taken.count)
            return taken
        }
    }

    /// Takes back what nobody has taken.
    func removeAll() -> [AMQPDelivery] {
        state.withLock { state in
            defer { state.waiting.removeAll() }
            return Array(state.waiting)
        }
    }

    /// Whoever asks gets nil from now on.
    func end() {
        let waiters = state.withLock { state in
            defer { state.waiters.removeAll() }
            state.hasEnded = true
            state.waiting.removeAll()
            return state.waiters.map(\.waiter)
        }
        for waiter in waiters { waiter.resume(nil) }
    }

    /// - Returns: nil at the end, and when the task is cancelled.
    func next() async -> AMQPDelivery? {
        let number = state.withLock { state in
            state.nextNumber += 1
            return state.nextNumber
        }
        defer { state.withLock { _ = $0.cancelled.remove(number) } }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let waiter = Waiter(continuation)
                let answer: AMQPDelivery?? = state.withLock { state in
                    if state.hasEnded || state.cancelled.contains(number) { return .some(nil) }
                    if let delivery = state.waiting.popFirst() { return delivery }
                    state.waiters.append((number, waiter))
                    return .none
                }
                if let answer { waiter.resume(answer) }
            }
        } onCancel: {
            let waiter: Waiter? = state.withLock { state in
                guard let index = state.waiters.firstIndex(where: { $0.number == number }) else {
                    state.cancelled.insert(number)
                    return nil
                }
                return state.waiters.remove(at: index).waiter
            }
            waiter?.resume(nil)
        }
    }
}

/// A consumer's deliveries, each to one taker; several tasks may take from it at once.
package struct AMQPDeliveries: AsyncSequence, Sendable {
    package typealias Element = AMQPDelivery
    package typealias Failure = Never
    let queue: DeliveryQueue

    /// Waits for a delivery, and takes with it those that are there already.
    ///
    /// - Returns: 1 to `limit` deliveries in their order; none at the end, and when the task is cancelled.
    package func nextBatch(atMost limit: Int) async -> [AMQPDelivery] {
        guard let first = await queue.next() else { return [] }
        return [first] + queue.take(atMost: limit - 1)
    }

    package struct AsyncIterator: AsyncIteratorProtocol {
        package typealias Failure = Never
        let queue: DeliveryQueue

        package mutating func next() async -> AMQPDelivery? { await queue.next() }
        package mutating func next(isolation actor: isolated (any Actor)?) async -> AMQPDelivery? { await queue.next() }
    }

    package func makeAsyncIterator() -> AsyncIterator { AsyncIterator(queue: queue) }
}
