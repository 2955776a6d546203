import Contracts
import Foundation
import Postgres
import StrictJSON
import TestSupport
import Testing
import WalletLedger

/// A currency may leave ISO 4217; the wallets that have it stay.
@Suite("Wallets of currencies that are not opened any more")
struct HTTPCurrencyTests {
    /// A wallet as it was opened when its currency still was one, by hand because it can't be opened now.
    private func oldWallet(_ world: LedgerWorld, _ currency: String) async throws -> String {
        let id = WalletID(UUID(high: UInt64.random(in: 0...0xFFFF) | 0x0193_0000_0000_7000, low: UInt64.random(in: 0...(.max >> 2)) | 1 << 63))
        let owner = try #require(UserID(world.userID)).uuid
        let client = try await world.wallet()
        let opener: String = try await world.api.query { session in
            try session.query("SELECT opened_by FROM wallets WHERE id = \(WalletID(client)!.uuid)")[0].decode(String.self)
        }
        try await world.api.query { session in
            try session.execute("SET session_replication_role = replica")
            try session.execute(
                """
                INSERT INTO wallets (id, owner_id, opened_by, currency, opened_at, last_posted_at)
                VALUES (\(id.uuid), \(owner), \(opener), \(currency), '2025-12-01', '2025-12-01')
                """)
        }
        return id.description
    }

    @Test("every route reads it, and it may be frozen and closed", arguments: ["HRK", "ZWL", "XQZ"])
    func read(currency: String) async throws {
        let world = try await LedgerWorld.new()
        let wallet = try await oldWallet(world, currency)
        let neighbour = try await world.wallet()
        let list = try await world.api.send(SignedCall("GET", "/v1/wallets", as: world.user))
        let ids = (list.json["data"]?.arrayValue ?? []).compactMap { $0["id"]?.stringValue }
        #expect(list.status == 200 && ids.contains(wallet) && ids.contains(neighbour), "\(list.text)")
        for target in ["", "/balance", "/balance?at=2026-01-01T00:00:00Z", "/statement", "/entries", "/holds"] {
            let answer = try await world.api.send(SignedCall("GET", "/v1/wallets/\(wallet)\(target)", as: world.user))
            #expect(answer.status == 200 && (answer.json["currency"]?.stringValue ?? currency) == currency, "\(target): \(answer.text)")
        }
        for what in ["freeze", "unfreeze", "close"] {
            try await world.change(wallet, what, what == "freeze" ? #"{"block":"all","reason":"r"}"# : #"{"reason":"r"}"#)
        }
    }

    @Test("its money moves on, between wallets of the currency")
    func moves() async throws {
        let world = try await LedgerWorld.new()
        let (wallet, other) = (try await oldWallet(world, "HRK"), try await oldWallet(world, "HRK"))
        try await world.change(wallet, "overdraft-limit", #"{"limit":500,"currency":"HRK","reason":"r"}"#)
        let body = LedgerWorld.transfer(wallet, other, "40", currency: "HRK")
        let answer = try await world.api.send(SignedCall("POST", "/v1/transfers", body, as: world.user, key: LedgerWorld.newKey()))
        #expect(answer.status == 201 && answer.json["currency"]?.stringValue == "HRK", "\(answer.text)")
        #expect(try await world.balance(other) == 40)
        let listed = try await world.api.send(SignedCall("GET", "/v1/transfers?wallet_id=\(other)", as: world.user))
        #expect(listed.status == 200 && listed.json["data"]?[0]?["amount"]?.integerValue == 40, "\(listed.text)")
    }

    @Test("verify names a wallet whose currency nobody knows, and no other")
    func verified() async throws {
        let world = try await LedgerWorld.new()
        let (known, unknown) = (try await oldWallet(world, "DEM"), try await oldWallet(world, "QQQ"))
        let findings = try await world.api.query { session in try VerifyLedger().run(session) }.findings.filter { $0.kind == .currency }
        #expect(findings.contains { $0.row == unknown } && !findings.contains { $0.row == known }, "\(findings)")
    }

    @Test("none is opened in it", arguments: ["HRK", "BGN", "ANG", "XQZ"])
    func opened(currency: String) async throws {
        let world = try await LedgerWorld.new()
        let answer = try await world.api.send(SignedCall("POST", "/v1/wallets", #"{"currency":"\#(currency)"}"#, as: world.user))
        #expect(answer.code == "unknown_currency" && answer.pointers == ["/currency"], "\(answer.text)")
    }
}
