import Contracts
import Idempotency
import Postgres
import TestSupport
import Testing

@testable import OpsRisk

@Suite("What ops-risk acknowledges is durable, whatever its role's settings say")
struct DurabilityTests {
    @Test("judging a batch and resolving an alert each say it in their own transaction")
    func everyChange() async throws {
        let fixture = try await RiskFixture()
        let record = try await DurabilityRecord(of: fixture.database)
        let wallet = RiskSamples.newWallet()
        try await fixture.apply((0..<4).map { RiskSamples.debit(wallet, at: Double($0)) })
        let alert = try #require(try await fixture.alerts().first)
        let resolver = Resolver(caller: "backoffice", userID: "usr_s", key: nil, requestID: "one", traceparent: nil)
        let answer = try await ResolveAlert(pool: fixture.pool, now: { RiskSamples.time(2_000) })(
            alert.id, ResolveRiskAlertRequest(resolution: .falsePositive, note: nil), by: resolver)
        guard case .done(_, isReplay: false) = answer else {
            Issue.record("\(answer)")
            return
        }
        let seen = try await record.seen()
        #expect(
            seen.changed.isSuperset(of: ["customer_debits", "risk_alerts", "outbox_events"]), "\(seen.changed.sorted())")
        #expect(seen.atRisk == [])
    }
}
