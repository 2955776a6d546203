import Contracts
import Foundation
import Idempotency
import Postgres
import TestSupport
import Testing

@testable import WalletLedger

@Suite("Money under contention", .onEachDatabasePath)
struct MoneyRaceTests {
    @Test("64 requests with one key, on two replicas, make one posting")
    func oneKey() async throws {
        let fixture = try await MoneyFixture()
        let a = try await fixture.openWallet()
        let b = try await fixture.openWallet()
        _ = try await fixture.post([MoneyFixture.deposit(a, 10_000)])
        let outcomes = try await fixture.withReplicas(2) { queues in
            await withTaskGroup(of: PostingOutcome.self) { group in
                for index in 0..<64 {
                    group.addTask { await queues[index % 2].post(MoneyFixture.transfer(a, b, 100, key: "the-key")) }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
        }
        #expect(Set(outcomes.compactMap(\.postedID)).count == 1)
        #expect(outcomes.count(where: { if case .posted(_, isReplay: false) = $0 { true } else { false } }) == 1)
        #expect(outcomes.count(where: { if case .posted(_, isReplay: true) = $0 { true } else { false } }) == 63)
        #expect(try await fixture.balance(a) == 9_900)
        #expect(try await fixture.verify().findings == [])
    }

    @Test("a storm around a ring of wallets, on two replicas, keeps the total and every floor")
    func ring() async throws {
        let fixture = try await MoneyFixture()
        var wallets: [WalletID] = []
        for _ in 0..<8 { wallets.append(try await fixture.openWallet()) }
        _ = try await fixture.post(wallets.map { MoneyFixture.deposit($0, 500) })
        let ring = wallets
        let outcomes = try await fixture.withReplicas(2) { queues in
            await withTaskGroup(of: PostingOutcome.self) { group in
                for worker in 0..<64 {
                    group.addTask {
                        var last = PostingOutcome.failed(.internalError)
                        for step in 0..<40 {
                            let from = (worker + step) % 8
                            last = await queues[worker % 2].post(
                                MoneyFixture.transfer(ring[from], ring[(from + 1 + step % 3) % 8], Int64(1 + (worker * 7 + step * 13) % 400)))
                            if case .failed = last { return last }
                        }
                        return last
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
        }
        #expect(!outcomes.contains { if case .failed = $0 { true } else { false } })
        var total: Int64 = 0
        for wallet in wallets {
            let balance = try await fixture.balance(wallet)
            #expect(balance >= 0)
            total += balance
        }
        #expect(total == 4_000)
        #expect(try await fixture.verify().findings == [])
    }

    @Test("two replicas that race for the last cent: one wins")
    func lastCent() async throws {
        let fixture = try await MoneyFixture()
        let a = try await fixture.openWallet()
        let b = try await fixture.openWallet()
        _ = try await fixture.post([MoneyFixture.deposit(a, 1)])
        let outcomes = try await fixture.withReplicas(2) { queues in
            await withTaskGroup(of: PostingOutcome.self) { group in
                for index in 0..<16 { group.addTask { await queues[index % 2].post(MoneyFixture.transfer(a, b, 1)) } }
                return await group.reduce(into: []) { $0.append($1) }
            }
        }
        #expect(outcomes.count(where: { $0.postedID != nil }) == 1)
        #expect(outcomes.count(where: { $0.refusal == .insufficientFunds }) == 15)
    }

    @Test("once a freeze is answered no debit commits any more")
    func freeze() async throws {
        let fixture = try await MoneyFixture()
        let a = try await fixture.openWallet()
        let b = try await fixture.openWallet()
        _ = try await fixture.post([MoneyFixture.deposit(a, 1_000_000)])
        try await fixture.withReplicas(2) { queues in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for worker in 0..<16 {
                    group.addTask {
                        for _ in 0..<60 {
                            if await queues[worker % 2].post(MoneyFixture.transfer(a, b, 1)).refusal == .walletFrozen { return }
                        }
                    }
                }
                group.addTask {
                    let origin = RequestOrigin(caller: "backoffice", access: .staff("usr_x"), key: nil, requestID: "freeze")
                    let answer = try await ChangeWallet(pool: fixture.pool, clock: fixture.clock)(a, .freeze(.debits), reason: "test", origin)
                    guard case .done(let change, _) = answer else { throw UnreadableRow(table: "wallets") }
                    let frozenAt = try await fixture.balance(a)
                    #expect(await queues[0].post(MoneyFixture.transfer(a, b, 1)).refusal == .walletFrozen)
                    #expect(try await fixture.balance(a) == frozenAt)
                    #expect(change.status == .frozenDebits)
                }
                try await group.waitForAll()
            }
        }
        #expect(try await fixture.verify().findings == [])
    }

    @Test("a poisoned item fails alone")
    func poison() async throws {
        let fixture = try await MoneyFixture()
        let a = try await fixture.openWallet()
        let b = try await fixture.openWallet()
        _ = try await fixture.post([MoneyFixture.deposit(a, 1_000)])
        try await fixture.database.server.execute(
            [
                """
                CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                    IF NEW.reference = 'poison' THEN RAISE EXCEPTION 'poison'; END IF; RETURN NEW; END $$
                """,
                "CREATE TRIGGER poison BEFORE INSERT ON transfers FOR EACH ROW EXECUTE FUNCTION poison()",
            ], database: fixture.database.name)
        let outcomes = try await fixture.withReplicas(1) { queues in
            await withTaskGroup(of: PostingOutcome.self) { group in
                for index in 0..<32 {
                    group.addTask {
                        await queues[0].post(MoneyFixture.transfer(a, b, 1, reference: index == 13 ? "poison" : nil))
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
        }
        #expect(outcomes.count(where: { $0 == .failed(.internalError) }) == 1)
        #expect(outcomes.count(where: { $0.postedID != nil }) == 31)
        #expect(try await fixture.verify().findings == [])
    }

    @Test("a full queue refuses with the time to come back; a withdrawn request changes nothing")
    func bounds() async throws {
        let fixture = try await MoneyFixture()
        let a = try await fixture.openWallet()
        let b = try await fixture.openWallet()
        _ = try await fixture.post([MoneyFixture.deposit(a, 100)])
        let queue = PostingQueue(batchLimit: 1, writers: 1)
        let outcomes = await withTaskGroup(of: PostingOutcome.self) { group in
            for _ in 0..<queue.capacity { group.addTask { await queue.post(MoneyFixture.transfer(a, b, 1)) } }
            while queue.depth < queue.capacity { await Task.yield() }
            let refused = await queue.post(MoneyFixture.transfer(a, b, 1))
            if case .failed(.overloaded(let seconds)) = refused { #expect(seconds >= 1) } else { Issue.record("got \(refused)") }
            group.cancelAll()
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes.allSatisfy { $0 == .failed(.unavailable) })
        #expect(queue.depth == 0)
        #expect(try await fixture.balance(a) == 100)
    }
}
