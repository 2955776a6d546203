import CoreMetrics
import Observability

/// What is counted of attempts at secrets, by kind: those that were wrong are begun without being right or withdrawn.
final class AttemptMetrics: Sendable {
    enum Outcome: String, CaseIterable, Sendable {
        case begun
        case right
        case withdrawn
        case blocked
    }

    private let counters: [AttemptKind: [Outcome: Counter]]

    init(_ registry: PrometheusRegistry) {
        counters = AttemptKind.allCases.reduce(into: [:]) { counters, kind in
            counters[kind] = Outcome.allCases.reduce(into: [:]) { counters, outcome in
                let dimensions = [("kind", kind.rawValue), ("outcome", outcome.rawValue)]
                counters[outcome] = Counter(label: "identity_attempts_total", dimensions: dimensions, factory: registry)
                counters[outcome]?.increment(by: 0)
            }
        }
        registry.describe("identity_attempts_total", "Attempts at secrets: begun, of these right or withdrawn; blocked ones never begin.")
    }

    func count(_ kind: AttemptKind, _ outcome: Outcome) { counters[kind]?[outcome]?.increment() }
}
