import Fleet
import HTTPService
import Testing

@testable import WalletLedger

@Suite("wallet-ledger in the fleet")
struct LedgerFleetTests {
    @Test("whom its grants let in is who calls it")
    func callers() {
        let grants = LedgerGrants.readers + [LedgerGrants.clientWrites, LedgerGrants.clientFunds]
        #expect(grants.reduce(into: Set<String>()) { $0.formUnion($1.callers) } == Set(FleetService.walletLedger.api?.callers ?? []))
    }
}
