import Contracts
import Foundation
import Idempotency
import Logging
import Postgres
import TestSupport
import Testing

@testable import WalletLedger

@Suite("Holds under contention", .onEachDatabasePath)
struct HoldRaceTests {
    /// Sends the requests at once, spread over the replicas.
    private static func race(_ fixture: MoneyFixture, _ requests: [PostingRequest]) async throws -> [PostingOutcome] {
        try await fixture.withReplicas(2) { queues in
            await withTaskGroup(of: (Int, PostingOutcome).self) { group in
                for (index, request) in requests.enumerated() { group.addTask { (index, await queues[index % 2].post(request)) } }
                return await group.reduce(into: [(Int, PostingOutcome)]()) { $0.append($1) }.sorted { $0.0 < $1.0 }.map(\.1)
            }
        }
    }

    private static func world(_ balance: Int64) async throws -> (MoneyFixture, payer: WalletID, shop: WalletID) {
        let fixture = try await MoneyFixture()
        let payer = try await fixture.openWallet()
        let shop = try await fixture.openWallet()
        _ = try await fixture.post([MoneyFixture.deposit(payer, balance)])
        return (fixture, payer, shop)
    }

    @Test("of many holds that race for what is available, as many are placed as it covers")
    func available() async throws {
        let (fixture, payer, shop) = try await Self.world(5_000)
        let outcomes = try await Self.race(fixture, (0..<24).map { _ in MoneyFixture.place(MoneyFixture.newHold(payer, shop, 1_000)) })
        #expect(outcomes.count(where: { $0.word == "placed" }) == 5)
        #expect(outcomes.count(where: { $0.word == "insufficient_funds" }) == 19)
        #expect(try await fixture.held(payer) == 5_000)
        #expect(try await fixture.verify().findings == [])
    }

    @Test("of capture, void and expiry exactly one wins, whichever is first")
    func endings() async throws {
        let (fixture, payer, shop) = try await Self.world(10_000)
        for _ in 0..<12 {
            let hold = MoneyFixture.newHold(payer, shop, 100)
            _ = try await fixture.post([MoneyFixture.place(hold, seconds: 1)])
            let racing = (0..<4).flatMap { _ in [MoneyFixture.capture(hold, nil), MoneyFixture.void(hold)] }
            // Half of the rounds race when the hold expires.
            if Bool.random() {
                _ = try await eventually(within: .seconds(10)) {
                    (try await fixture.pool.withSession { session in try HoldStore().expired(session, limit: 10) }).contains { $0.id == hold.id }
                }
            }
            let outcomes = try await Self.race(fixture, racing + [MoneyFixture.expire(hold), MoneyFixture.expire(hold)])
            let winners = outcomes.filter { ["captured", "voided", "expired"].contains($0.word) }
            #expect(winners.count == 1 && outcomes.count(where: { $0.word == "hold_not_open" }) == 9, "\(outcomes.map(\.word))")
        }
        #expect(try await fixture.held(payer) == 0)
        #expect(try await fixture.verify().findings == [])
    }

    @Test("captures that race never take more than was held, and one key takes once")
    func captures() async throws {
        let (fixture, payer, shop) = try await Self.world(1_000)
        let hold = MoneyFixture.newHold(payer, shop, 100)
        _ = try await fixture.post([MoneyFixture.place(hold)])
        let requests = (0..<20).map { _ in MoneyFixture.capture(hold, 9) } + (0..<12).map { _ in MoneyFixture.capture(hold, 5, key: "once") }
        let outcomes = try await Self.race(fixture, requests)
        #expect(Set(outcomes.suffix(12).map(\.word)).count == 1)
        let taken = try await fixture.balance(shop)
        let parts = Int64(outcomes.prefix(20).count(where: { $0.word == "captured" }))
        let once: Int64 = outcomes[20].word == "captured" ? 5 : 0
        #expect(taken == parts * 9 + once && taken <= 100 && taken > 90)
        #expect(try await fixture.held(payer) == 100 - taken)
        #expect(try await fixture.verify().findings == [])
    }

    @Test("once a freeze is answered no hold and no capture commits, and a close never meets an open hold")
    func freezeAndClose() async throws {
        let fixture = try await MoneyFixture()
        let shop = try await fixture.openWallet()
        let origin = RequestOrigin(caller: "backoffice", access: .staff("usr_s"), key: nil, requestID: "change")
        let change = ChangeWallet(pool: fixture.pool, clock: fixture.clock)
        for round in 0..<8 {
            let payer = try await fixture.openWallet()
            _ = try await fixture.post([MoneyFixture.deposit(payer, 100)])
            let hold = MoneyFixture.newHold(payer, shop, 50)
            _ = try await fixture.post([MoneyFixture.place(hold)])
            async let racing = Self.race(
                fixture,
                (0..<10).flatMap { _ in [MoneyFixture.capture(hold, 1), MoneyFixture.place(MoneyFixture.newHold(payer, shop, 1))] })
            guard case .done(let frozen, _) = try await change(payer, .freeze(.debits), reason: "race \(round)", origin) else {
                Issue.record("not frozen")
                return
            }
            for outcome in try await racing {
                switch outcome {
                case .holdCaptured(let body, _):
                    #expect(body.transfer.entries.allSatisfy { $0.walletID != payer || $0.walletVersion < frozen.version })
                case .holdPlaced: break
                default: #expect(outcome.word == "wallet_frozen")
                }
            }
            // Nothing of the wallet has a version after the freeze but what came later by hand.
            let later = try await fixture.pool.withSession { session in
                try session.query("SELECT count(*) FROM hold_changes WHERE wallet_id = \(payer.uuid) AND version > \(frozen.version)")[0]
                    .decode(Int64.self)
            }
            #expect(later == 0)
            guard case .refused(Refusal(.balanceNotZero), _, _) = try await change(payer, .close, reason: "open holds", origin) else {
                Issue.record("closed")
                return
            }
        }
        #expect(try await fixture.verify().findings == [])
    }

    @Test("two writers of one queue post disjoint wallets side by side and the same wallets in the order of arrival")
    func writers() async throws {
        let fixture = try await MoneyFixture()
        var wallets: [WalletID] = []
        for _ in 0..<200 { wallets.append(try await fixture.openWallet()) }
        _ = try await fixture.post(wallets.map { MoneyFixture.deposit($0, 1_000) })
        let hot = wallets[0]
        // One caller's list: every seventh debits the hot wallet, so its balances must fall in the order of the list.
        let requests = (0..<2_100).map { index in
            index % 7 == 0
                ? MoneyFixture.transfer(hot, wallets[1 + index % 199], 1)
                : MoneyFixture.transfer(wallets[1 + index % 199], wallets[1 + (index * 31 + 1) % 199], 2)
        }
        let queue = PostingQueue(batchLimit: 256, writers: 2)
        let writer = BatchWriter(queue: queue, configuration: fixture.configuration, writers: 2, clock: fixture.clock, logger: Logger(label: "test"))
        let outcomes = try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await writer.run() }
            var outcomes: [PostingOutcome] = []
            // No more than the queue holds.
            for start in stride(from: 0, to: requests.count, by: 700) { outcomes += await queue.post(Array(requests[start..<(start + 700)])) }
            queue.close()
            try await group.waitForAll()
            return outcomes
        }
        #expect(!outcomes.contains { $0.word == "failed" })
        let balances = outcomes.compactMap { outcome -> Int64? in
            guard case .posted(let body, _) = outcome else { return nil }
            return body.entries.first { $0.walletID == hot }?.balanceAfterMinor
        }
        #expect(balances == balances.sorted(by: >) && balances.count == 300)
        #expect(try await fixture.verify().findings == [])
    }

    @Test("atomic batches, transfers and holds around a ring, on two replicas, keep the total and every floor")
    func ring() async throws {
        let fixture = try await MoneyFixture()
        var wallets: [WalletID] = []
        for _ in 0..<6 { wallets.append(try await fixture.openWallet()) }
        _ = try await fixture.post(wallets.map { MoneyFixture.deposit($0, 300) })
        var requests: [PostingRequest] = []
        var random = SeededGenerator(seed: 11)
        for index in 0..<240 {
            let start = Int.random(in: 0..<6, using: &random)
            let amount = Int64.random(in: 1...120, using: &random)
            switch index % 3 {
            case 0: requests.append(MoneyFixture.transfer(wallets[start], wallets[(start + 1) % 6], amount))
            case 1: requests.append(MoneyFixture.place(MoneyFixture.newHold(wallets[start], wallets[(start + 2) % 6], amount)))
            default:
                requests.append(
                    MoneyFixture.atomic(
                        (0..<4).map { step in
                            TransferRequest(
                                sourceWalletID: wallets[(start + step) % 6], destinationWalletID: wallets[(start + step + 1) % 6],
                                money: MoneyFixture.money(amount))
                        }))
            }
        }
        let outcomes = try await Self.race(fixture, requests)
        #expect(!outcomes.contains { $0.word == "failed" } && outcomes.contains { $0.word == "batch" })
        var total: Int64 = 0
        for wallet in wallets {
            let (balance, held) = (try await fixture.balance(wallet), try await fixture.held(wallet))
            #expect(balance - held >= 0)
            total += balance
        }
        #expect(total == 1_800)
        #expect(try await fixture.verify().findings == [])
    }
}
