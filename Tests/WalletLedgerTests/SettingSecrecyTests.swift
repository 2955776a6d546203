import TestSupport
import Testing

@testable import WalletLedger

@Suite("Settings of wallet-ledger")
struct SettingSecrecyTests {
    @Test("nothing of a value that may hold a secret is quoted or listed")
    func secrecy() {
        let good = [
            "LEDGER_DATABASE_URL": "postgres://u@h/d", "REDIS_URL": "rediss://h", "TOKEN_ISSUER": "https://i", "TOKEN_JWKS": "/jwks.json",
        ]
        #expect(SettingSecrecy.leaks(of: WalletLedgerConfiguration.self, good) == [])
    }
}
