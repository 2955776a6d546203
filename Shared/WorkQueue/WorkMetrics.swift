internal import CoreMetrics
internal import Metrics
package import Observability
internal import Synchronization

/// What a queue counts; made once, labelled with its name. Every series is there from the start.
package final class WorkMetrics: Sendable {
    private static let outcomes = ["done", "again", "dead", "unknown", "fenced"]

    private let attempts: [String: Counter]
    private let lost: Counter
    private let expired: Counter
    private let seconds: Timer
    private let counts = Mutex(WorkQueue.Counts())

    package init(_ queue: WorkQueue, _ registry: PrometheusRegistry) {
        let labels = [("queue", queue.name)]
        func counter(_ label: String, _ dimensions: [(String, String)] = []) -> Counter {
            let counter = Counter(label: label, dimensions: labels + dimensions, factory: registry)
            counter.increment(by: 0)
            return counter
        }
        attempts = Dictionary(uniqueKeysWithValues: Self.outcomes.map { ($0, counter("work_attempts_total", [("outcome", $0)])) })
        lost = counter("work_leases_lost_total")
        expired = counter("work_expired_total")
        seconds = Timer(label: "work_attempt_seconds", dimensions: labels, factory: registry)
        registry.describe("work_attempts_total", "Attempts that ended, by what became of the work; fenced: another claim or an operator was first.")
        registry.describe("work_leases_lost_total", "Claims whose lease ended without an outcome.")
        registry.describe("work_expired_total", "Work that waited until it was no longer worth doing.")
        registry.describe("work_attempt_seconds", "Time of one attempt, in seconds.")
        for state in [WorkState.waiting, .working, .unknown, .dead] {
            registry.observe(
                "work_items", .gauge, "Work that is not over, by state; unknown and dead wait for an operator.",
                labels: labels + [("state", state.rawValue)]
            ) { Double(self.counts.withLock { $0.byState[state] ?? 0 }) }
        }
        registry.observe("work_oldest_due_seconds", .gauge, "How long the oldest work that is due has waited; 0 without any.", labels: labels) {
            self.counts.withLock { $0.oldestDue }
        }
    }

    /// - Parameter state: Nil where the claim was no longer the last.
    func ended(as state: WorkState?, after duration: Duration) {
        let outcome = state.map { $0 == .waiting ? "again" : $0.rawValue } ?? "fenced"
        attempts[outcome]?.increment()
        seconds.record(duration: duration)
    }

    func swept(_ swept: WorkQueue.Swept) {
        lost.increment(by: Int64(swept.lostCount))
        expired.increment(by: Int64(swept.expired.count))
    }

    func set(_ counts: WorkQueue.Counts) { self.counts.withLock { $0 = counts } }
}
