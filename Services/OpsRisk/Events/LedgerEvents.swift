import Contracts
import EventBroker
import EventConsumption

/// What ops-risk does with the ledger's events.
enum LedgerEvents {
    /// - Parameter judge: applied to the postings of one batch, in its transaction.
    static func subscription(_ judge: JudgeDebits) throws -> EventSubscription {
        guard let queue = EventTopology.consumer(of: OpsRisk.name) else { throw NoQueue() }
        let posted = EventHandler(for: TransferPostedEvent.self, types: [.posted]) { events, session in
            let debits = events.compactMap { event in
                CustomerDebit(event.payload).map { ObservedDebit(debit: $0, traceparent: event.traceparent) }
            }
            try judge(debits, session)
        }
        // A refund is no debit to judge; see CustomerDebit.
        return EventSubscription(queue: queue, handlers: [posted], ignoring: [TransferEventType.refunded.rawValue])
    }

    private struct NoQueue: Error, CustomStringConvertible {
        let description = "the topology knows no queue of ops-risk"
    }
}
