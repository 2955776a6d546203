import CoreMetrics
import Observability

/// What the OpenID Provider counts.
final class ProviderMetrics: Sendable {
    private let issued: [GrantType: Counter]
    private let refused: [TokenRefusal: Counter]
    private let repeated: Counter
    private let introspected: [Bool: Counter]

    init(_ registry: PrometheusRegistry, keys: SigningKeyRing) {
        func counter(_ label: String, _ name: String, _ value: String) -> Counter {
            Counter(label: label, dimensions: [(name, value)], factory: registry)
        }
        issued = Dictionary(uniqueKeysWithValues: GrantType.allCases.map { ($0, counter("identity_tokens_issued_total", "grant", $0.rawValue)) })
        refused = Dictionary(
            uniqueKeysWithValues: TokenRefusal.allCases.map { ($0, counter("identity_tokens_refused_total", "reason", $0.rawValue)) })
        repeated = Counter(label: "identity_refresh_repeats_total", dimensions: [], factory: registry)
        introspected = [true, false].reduce(into: [:]) { counters, isActive in
            counters[isActive] = counter("identity_introspections_total", "active", String(isActive))
        }
        for counter in Array(issued.values) + Array(refused.values) + [repeated] + Array(introspected.values) { counter.increment(by: 0) }
        registry.describe("identity_tokens_issued_total", "Answers with an access token, by grant type.")
        registry.describe("identity_tokens_refused_total", "Token requests refused, by reason; refresh_stolen and code_reused are attacks or bugs.")
        registry.describe("identity_refresh_repeats_total", "Refresh tokens that came again in time and got the same successor.")
        registry.describe("identity_introspections_total", "Introspections, by what was answered.")
        registry.observe("identity_signing_key_seconds_left", .gauge, "Seconds until the key that signs should be replaced.") { keys.secondsLeft }
        registry.observe("identity_signing_keys_published", .gauge, "Keys in the key set.") { Double(keys.publishedCount) }
    }

    func issued(_ grant: GrantType) { issued[grant]?.increment() }
    func refused(_ refusal: TokenRefusal) { refused[refusal]?.increment() }
    func refreshRepeated() { repeated.increment() }
    func introspected(isActive: Bool) { introspected[isActive]?.increment() }
}
