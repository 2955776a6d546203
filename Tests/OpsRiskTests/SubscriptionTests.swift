import Contracts
import EventBroker
import EventConsumption
import Testing

@testable import OpsRisk

@Suite("What ops-risk consumes")
struct SubscriptionTests {
    @Test("every event of the ledger's transfers that reaches the queue is handled or ignored, and nothing else is declared")
    func types() throws {
        let subscription = try LedgerEvents.subscription(JudgeDebits(rules: RiskSamples.rules, metrics: nil, now: { RiskSamples.time(0) }))
        #expect(subscription.unboundTypes == [])
        let reaching = EventCatalogue.entries.map(\.type).filter(subscription.queue.takes)
        #expect(Set(reaching) == Set(subscription.handlers.flatMap(\.types)).union(subscription.ignored))
        #expect(subscription.handlers.flatMap(\.types) == ["ledger.transfer.posted.v1"])
        #expect(subscription.ignored == ["ledger.transfer.refunded.v1"])
    }
}
