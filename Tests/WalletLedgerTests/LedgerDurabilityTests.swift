import Contracts
import Idempotency
import Postgres
import ServiceDatabase
import TestSupport
import Testing

@testable import WalletLedger

@Suite("What the ledger acknowledges is durable, whatever its role's settings say", .onEachDatabasePath)
struct LedgerDurabilityTests {
    @Test("opening, posting, holding, changing and expiring each say it in their own transaction")
    func everyChange() async throws {
        let fixture = try await MoneyFixture()
        let record = try await DurabilityRecord(of: fixture.database)
        let (a, b) = (try await fixture.openWallet(), try await fixture.openWallet())
        try await fixture.withReplicas(1) { queues in
            #expect(await queues[0].post(MoneyFixture.deposit(a, 100)).postedID != nil)
            let transferred = await queues[0].post(MoneyFixture.transfer(a, b, 1))
            let original = try #require(transferred.postedID)
            #expect(await queues[0].post(try fixture.refund(of: original, 1)).postedID != nil)
            let hold = MoneyFixture.newHold(a, b, 5)
            _ = await queues[0].post([MoneyFixture.place(hold), MoneyFixture.void(hold)])
        }
        let origin = RequestOrigin(caller: "backoffice", access: .client("bank"), key: MoneyFixture.key("freeze"), requestID: "freeze")
        let answer = try await ChangeWallet(pool: fixture.pool, clock: fixture.clock)(a, .freeze(.all), reason: "test", origin)
        guard case .done(_, isReplay: false) = answer else { throw UnreadableRow(table: "wallets") }
        let seen = try await record.seen()
        #expect(
            seen.changed.isSuperset(of: [
                "wallets", "transfers", "entries", "refund_totals", "holds", "idempotency_keys", "outbox_events", "wallet_changes",
            ]), "\(seen.changed.sorted())")
        #expect(seen.atRisk == [])
    }
}
