import Contracts
import CoreMetrics
package import Observability
import ServiceRuntime
import Synchronization

/// What ops-risk counts besides what every service and every consumer does.
package final class OpsRiskMetrics: Sendable {
    private let judgedTotal: Counter
    private let raisedTotals: [RiskRule: Counter]
    private let counts = Mutex(AlertStore.Counts())

    package init(_ registry: PrometheusRegistry) {
        judgedTotal = Counter(label: "risk_debits_judged_total", dimensions: [], factory: registry)
        raisedTotals = Dictionary(
            uniqueKeysWithValues: RiskRule.allCases.map { rule in
                (rule, Counter(label: "risk_alerts_raised_total", dimensions: [("rule", rule.rawValue)], factory: registry))
            })
        for counter in [judgedTotal] + Array(raisedTotals.values) { counter.increment(by: 0) }
        registry.describe("risk_debits_judged_total", "Debits of customers' wallets that were judged; counted again when a batch is retried.")
        registry.describe("risk_alerts_raised_total", "Alerts raised, by rule; counted again when a batch is retried.")
        for rule in RiskRule.allCases {
            registry.observe(
                "risk_alerts_open", .gauge, "Alerts that wait for an operator, by rule; \(AlertStore.countedAtMost) in all at most.",
                labels: [("rule", rule.rawValue)]
            ) { Double(self.counts.withLock { $0.open[rule] ?? 0 }) }
        }
        registry.observe("risk_alert_oldest_age_seconds", .gauge, "Seconds since the oldest open alert was raised; 0 without any.") {
            guard let oldest = self.counts.withLock({ $0.oldest }) else { return 0 }
            return max(0, Double(WallClock.microsecondsSinceUnixEpoch() - oldest.microsecondsSinceUnixEpoch) / 1e6)
        }
    }

    func judged(_ count: Int) { judgedTotal.increment(by: Int64(count)) }

    func raised(_ rule: RiskRule) { raisedTotals[rule]?.increment() }

    func tell(_ counts: AlertStore.Counts) { self.counts.withLock { $0 = counts } }
}
