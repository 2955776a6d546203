import Contracts
import HTTPService
import Idempotency
import Logging
import Observability
import Postgres
import ServiceDatabase
import ServiceRuntime
import TestSupport
import Testing

@testable import OpsRisk

@Suite("The upkeep of ops-risk")
struct UpkeepTests {
    private static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    @Test("debits older than the retention go in bounded batches, measured from the latest that arrived")
    func debits() async throws {
        let fixture = try await RiskFixture()
        let wallet = RiskSamples.newWallet()
        try await fixture.apply((0..<8).map { RiskSamples.debit(wallet, at: Double($0) * 1_000) })
        let store = DebitStore()
        func prune(_ seconds: Int64, atMost limit: Int32) async throws -> Int {
            try await fixture.pool.withTransaction { session in try store.prune(session, DebitRetention(seconds: seconds), atMost: limit) }
        }
        // The latest is at 7000: older than 3500 s are those at 0 to 3000.
        #expect(try await prune(3_500, atMost: 3) == 3)
        #expect(try await prune(3_500, atMost: 3) == 1)
        #expect(try await prune(3_500, atMost: 3) == 0)
        #expect(try await fixture.count("customer_debits") == 4)
        await #expect(throws: PostgresError.self) { _ = try await prune(0, atMost: 3) }
        // One from the future does not make the others old.
        let now = Double(WallClock.microsecondsSinceUnixEpoch() / 1_000_000 - RiskSamples.start)
        try await fixture.apply([RiskSamples.debit(wallet, at: now + 1_000_000), RiskSamples.debit(wallet, at: now)])
        #expect(try await prune(60, atMost: 100) == 4)
        #expect(try await fixture.count("customer_debits") == 2)
    }

    @Test("expired keys go through the one function that may, young ones stay; all that is old goes in one turn")
    func keys() async throws {
        let fixture = try await RiskFixture()
        let store = IdempotencyStore<ResolveOutcome>()
        try await fixture.pool.withTransaction { session in
            for index in 0..<3 {
                let key = IdempotencyKey(caller: "backoffice", principal: "staff:usr", key: "key-\(index)")
                try store.insert(session, key, IdempotencyRecord(RequestFingerprint(route: "r") { _ in }, .resolved))
            }
        }
        try await fixture.execute("ALTER TABLE idempotency_keys DISABLE TRIGGER USER", as: fixture.database.ownerURL)
        try await fixture.execute(
            "UPDATE idempotency_keys SET created_at = now() - interval '31 days' WHERE key <> 'key-0'", as: fixture.database.ownerURL)
        try await fixture.execute("ALTER TABLE idempotency_keys ENABLE TRIGGER USER", as: fixture.database.ownerURL)
        let expiry = RowExpiry(of: "idempotency keys", pool: fixture.pool, clock: ClockWitness(), logger: Self.quiet) { session, _ in
            try store.expire(session, atMost: 1)
        }
        #expect(try await expiry.expire() == 1)
        #expect(
            try await RowExpiry(of: "keys", pool: fixture.pool, clock: ClockWitness(), logger: Self.quiet) { try store.expire($0, atMost: $1) }
                .expire() == 1)
        #expect(try await fixture.count("idempotency_keys") == 1)
    }

    @Test("open alerts are counted by rule, with the age of the oldest")
    func counts() async throws {
        let fixture = try await RiskFixture()
        let registry = PrometheusRegistry()
        let watch = AlertWatch(pool: fixture.pool, metrics: OpsRiskMetrics(registry), logger: Self.quiet)
        try await watch.look()
        #expect(registry.render().contains("risk_alerts_open{rule=\"high_value\"} 0"))
        #expect(registry.render().contains("risk_alert_oldest_age_seconds 0"))
        let busy = RiskSamples.newWallet()
        try await fixture.apply((1...4).map { RiskSamples.debit(busy, at: Double($0), $0 < 3 ? 1_000_000 : 1) })
        try await watch.look()
        #expect(registry.render().contains("risk_alerts_open{rule=\"high_value\"} 2"))
        #expect(registry.render().contains("risk_alerts_open{rule=\"velocity\"} 1"))
        #expect(registry.render().contains("risk_alerts_raised_total{rule=\"velocity\"} 0"))
    }
}
