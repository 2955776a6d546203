import Contracts
import Foundation
import Postgres
import StrictJSON
import TestSupport
import Testing

@testable import WalletLedger

@Suite("The room of the world outside", .onEachDatabasePath)
struct WorldRoomTests {
    private static let most = MinorUnits.maximum

    private static func withdrawal(_ wallet: WalletID, _ amount: Int64) -> PostingRequest {
        let request = FundingRequest(walletID: wallet, money: MoneyFixture.money(amount))
        let access = WalletAccess.client("bank")
        return PostingRequest(
            order: .posting(.withdrawal(request, id: MoneyFixture.newTransferID(), access: access)),
            key: MoneyFixture.key(UUID().uuidString, principal: access.principal, caller: "api-gateway"),
            fingerprint: .funding("POST /v1/withdrawals", request), requestID: UUID().uuidString)
    }

    @Test("no customer's deposit or withdrawal depends on what other customers moved", arguments: [1, 2, 3] as [UInt64])
    func independence(seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        let fixture = try await MoneyFixture()
        // More wallets than the world has: some share one.
        var wallets: [WalletID] = []
        for _ in 0..<20 { wallets.append(try await fixture.openWallet()) }
        #expect(Set(wallets.map { WorldWallet.opposite($0, currency: Currency("EUR")!) }).count < wallets.count)
        var balances = [Int64](repeating: 0, count: wallets.count)
        var leavesRange = false
        for step in 0..<120 {
            let index = Int.random(in: 0..<wallets.count, using: &random)
            let amount = [1, 10, Self.most / 2, Self.most - 1, Self.most][Int.random(in: 0..<5, using: &random)]
            let isDeposit = step < 40 || Bool.random(using: &random)
            let (after, refusal): (Int64, TransferRejection?) =
                isDeposit
                ? (balances[index] + amount, balances[index] + amount > Self.most ? .balanceOutOfRange : nil)
                : (balances[index] - amount, balances[index] < amount ? .insufficientFunds : nil)
            let request = isDeposit ? MoneyFixture.deposit(wallets[index], amount) : Self.withdrawal(wallets[index], amount)
            let outcome = try await fixture.post([request])[0]
            #expect(outcome.refusal == refusal && (refusal != nil || outcome.postedID != nil), "seed \(seed), step \(step): \(outcome)")
            if refusal == nil { balances[index] = after }
            let lowest = try await fixture.pool.withSession { session in
                try session.query("SELECT min(balance) FROM wallets")[0].decode(Int64.self)
            }
            leavesRange = leavesRange || lowest < -Self.most
        }
        #expect(leavesRange, "the run proves nothing")
        for (wallet, balance) in zip(wallets, balances) { #expect(try await fixture.balance(wallet) == balance) }
        #expect(try await fixture.verify().findings == [])
        // No number in an event is beyond what every JSON reader keeps exactly, and every event is read.
        let events = try await fixture.pool.withSession { session in
            try session.query("SELECT data FROM outbox_events WHERE type = 'ledger.transfer.posted.v1'").map { try $0.decode(String.self) }
        }
        var without = 0
        for text in events {
            var object = try JSONObjectReader(JSONParser.parse(Array(text.utf8)))
            let posted = try TransferPostedEvent(reading: &object, type: .posted)
            for leg in posted.legs where leg.balanceAfterMinor == nil {
                #expect(leg.walletID.isWorld)
                without += 1
            }
        }
        #expect(without > 0)
    }

    @Test("the database keeps customers within the range and lets the world leave it")
    func constraints() async throws {
        let fixture = try await MoneyFixture()
        let wallet = try await fixture.openWallet()
        let world = WorldWallet.opposite(wallet, currency: Currency("EUR")!)
        let owner = try await PostgresConnection.connect(PostgresConfiguration(url: fixture.database.ownerURL))
        try await owner.withSession { session in
            try session.unsafeScript("ALTER TABLE wallets DISABLE TRIGGER USER; ALTER TABLE entries DISABLE TRIGGER USER")
            for (id, fits) in [(wallet, false), (world, true)] {
                let statements: [PostgresQuery] = [
                    "UPDATE wallets SET balance = \(Self.most + 1) WHERE id = \(id.uuid)",
                    "INSERT INTO entries VALUES (\(id.uuid), 77, gen_random_uuid(), 5, \(Self.most + 1), now())",
                ]
                for statement in statements {
                    if fits {
                        #expect(throws: Never.self) { try session.execute(statement) }
                    } else {
                        #expect(throws: PostgresError.self) { try session.execute(statement) }
                    }
                }
            }
        }
    }
}
