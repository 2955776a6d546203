import AMQP
import Contracts
import FoundationEssentials
import Synchronization

/// Takes deliveries, notes when each came, and acknowledges them in groups.
final class ArrivalTaker: Sendable {
    private struct State {
        var arrivals: [BrokerLoad.Arrival] = []
        var times: (first: ContinuousClock.Instant, last: ContinuousClock.Instant)?
        var isDone = false
    }

    private let consumer: AMQPConsumer
    private let limit: Int
    private let group: Int
    private let state = Mutex(State())

    init(_ consumer: AMQPConsumer, atMost limit: Int, acknowledging group: Int) {
        self.consumer = consumer
        self.limit = limit
        self.group = group
    }

    var count: Int { state.withLock { $0.arrivals.count } }
    var isDone: Bool { state.withLock { $0.isDone } }
    /// When the first and the last event came.
    var times: (first: ContinuousClock.Instant, last: ContinuousClock.Instant)? { state.withLock { $0.times } }

    /// Until enough came, or the task is cancelled.
    func run() async -> [BrokerLoad.Arrival] {
        var pending: DeliveryReceipt?
        var taken = 0
        for await delivery in consumer.deliveries {
            note(delivery)
            taken += 1
            pending = delivery.receipt
            if taken.isMultiple(of: group) {
                consumer.acknowledge(delivery.receipt, isMultiple: true)
                pending = nil
            }
            if taken == limit { break }
        }
        if let pending { consumer.acknowledge(pending, isMultiple: true) }
        return state.withLock { state in
            state.isDone = true
            return state.arrivals
        }
    }

    private func note(_ delivery: AMQPDelivery) {
        let now = ContinuousClock.now
        let time = Int64(Date().timeIntervalSince1970 * 1_000_000)
        let event = EventID(delivery.message.messageID)
        state.withLock { state in
            state.times = (state.times?.first ?? now, now)
            guard let event else { return }
            state.arrivals.append(BrokerLoad.Arrival(event: event, microsecondsSinceUnixEpoch: time))
        }
    }
}
