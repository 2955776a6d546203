import Contracts
import Foundation
import Idempotency
import Outbox
import Postgres
import TestSupport
import Testing

@testable import WalletLedger

/// Questions about the past against the entries themselves, of wallets whose versions have gaps.
@Suite("The ledger's past against its entries", .onEachDatabasePath)
struct HistoryPropertyTests {
    private static let access = WalletAccess.user(MoneyFixture.owner)
    private static let staff = RequestOrigin(caller: "backoffice", access: .staff("usr_s"), key: nil, requestID: "change")
    private static let rounds = 60
    private static let questions = 150

    private struct Row {
        let version: Int64
        let amount: Int64
        let balance: Int64
        let time: Timestamp
    }

    private static func rows(_ fixture: MoneyFixture, _ wallet: WalletID) async throws -> [Row] {
        try await fixture.pool.withSession { session in
            try session.query("SELECT version, amount, balance_after, posted_at FROM entries WHERE wallet_id = \(wallet.uuid) ORDER BY version").map {
                let (version, amount, balance, time) = try $0.decode(Int64.self, Int64.self, Int64.self, PostgresTimestamp.self)
                return Row(version: version, amount: amount, balance: balance, time: Timestamp(time).wholeMillisecond)
            }
        }
    }

    /// Wallets with postings in batches of any size and changes of state in between.
    private static func history(_ fixture: MoneyFixture, _ random: inout SeededGenerator) async throws -> [WalletID] {
        var wallets: [WalletID] = []
        for _ in 0..<4 { wallets.append(try await fixture.openWallet()) }
        _ = try await fixture.post(wallets.map { MoneyFixture.deposit($0, 1_000) })
        for _ in 0..<rounds {
            var batch: [PostingRequest] = []
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let (from, to) = (wallets.randomElement(using: &random)!, wallets.randomElement(using: &random)!)
                batch.append(MoneyFixture.transfer(from, to, Int64.random(in: 1...200, using: &random)))
            }
            _ = try await fixture.post(batch)
            let wallet = wallets.randomElement(using: &random)!
            for _ in 0..<Int.random(in: 0...3, using: &random) {
                _ = try await ChangeWallet(pool: fixture.pool, clock: fixture.clock)(wallet, .unfreeze, reason: "a gap", staff)
            }
        }
        return wallets
    }

    @Test("at every time the balance is what the last entry by then left", arguments: [1, 2] as [UInt64])
    func balances(_ seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        let fixture = try await MoneyFixture()
        let past = ReadHistory(pool: fixture.pool, settling: .zero, clock: fixture.clock)
        let wallets = try await Self.history(fixture, &random)
        for wallet in wallets {
            let rows = try await Self.rows(fixture, wallet)
            #expect(rows.count > 10)
            for row in rows {
                for shift: Int64 in [-1_000, 0, 1_000] {
                    let time = Timestamp(microsecondsSinceUnixEpoch: row.time.microsecondsSinceUnixEpoch + shift)
                    let last = rows.last { $0.time <= time }
                    guard let answer = try await past.balance(of: wallet, at: time, Self.access) else { continue }
                    #expect(answer.version == last?.version ?? 0 && answer.balanceMinor == last?.balance ?? 0, "seed \(seed), \(time)")
                    #expect(answer.at == time)
                }
            }
        }
    }

    @Test("opening balance, credits, debits and closing balance add up, and the pages hold every entry once", arguments: [3, 4] as [UInt64])
    func statements(_ seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        let fixture = try await MoneyFixture()
        let past = ReadHistory(pool: fixture.pool, settling: .zero, clock: fixture.clock)
        let wallets = try await Self.history(fixture, &random)
        for _ in 0..<Self.questions {
            let wallet = wallets.randomElement(using: &random)!
            let rows = try await Self.rows(fixture, wallet)
            let times = (0..<2).map { _ in
                let time = rows.randomElement(using: &random)!.time.microsecondsSinceUnixEpoch
                return Timestamp(microsecondsSinceUnixEpoch: time + Int64.random(in: -2...1, using: &random) * 1_000)
            }
            let (from, to) = (times.min()!, times.max()!)
            let expected = rows.filter { $0.time >= from && $0.time < to }
            var question = ReadHistory.StatementQuestion(wallet: wallet, from: from, to: to, limit: Int.random(in: 1...30, using: &random))
            var versions: [Int64] = []
            repeat {
                let page = try #require(try await past.statement(question, Self.access))
                #expect(page.openingBalanceMinor == rows.last { $0.time < from }?.balance ?? 0)
                #expect(page.closingBalanceMinor == rows.last { $0.time < to }?.balance ?? 0)
                #expect(page.totalCreditsMinor == Int128(expected.map(\.amount).filter { $0 > 0 }.reduce(0, +)))
                #expect(page.totalDebitsMinor == -Int128(expected.map(\.amount).filter { $0 < 0 }.reduce(0, +)))
                #expect(page.entries.count <= question.limit)
                versions += page.entries.map(\.walletVersion)
                question.after = page.next
            } while question.after != nil
            #expect(versions == expected.map(\.version), "seed \(seed), \(from) to \(to)")
        }
    }

    @Test("filtered entries and transfers are those that a filter by hand finds, newest first, in pages", arguments: [5, 6] as [UInt64])
    func lists(_ seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        let fixture = try await MoneyFixture()
        let list = ListLedger(pool: fixture.pool)
        let wallets = try await Self.history(fixture, &random)
        for _ in 0..<Self.questions {
            let wallet = wallets.randomElement(using: &random)!
            let rows = try await Self.rows(fixture, wallet)
            let from = Bool.random(using: &random) ? rows.randomElement(using: &random)!.time : nil
            let to = Bool.random(using: &random) ? rows.randomElement(using: &random)!.time : nil
            let kinds: [PostingKind?] = [nil, .deposit, .transfer, .refund]
            let kind = kinds.randomElement(using: &random)!
            let filter = ListLedger.EntryFilter(wallet: wallet, kind: kind, from: from, to: to)
            let limit = Int.random(in: 1...30, using: &random)
            // Every first entry is the deposit, every other one a transfer.
            let expected = rows.filter { row in
                (from.map { row.time >= $0 } ?? true) && (to.map { row.time < $0 } ?? true)
                    && (kind == nil || kind == (row.version == 1 ? PostingKind.deposit : .transfer))
            }.map(\.version)
            var entries: [EntryBody] = []
            var before: Int64?
            repeat {
                let page = try #require(try await list.entries(filter, before: before, limit: limit, Self.access))
                entries += page.items
                before = page.next
            } while before != nil
            #expect(entries.map(\.walletVersion) == expected.reversed(), "seed \(seed)")
            var transfers: [TransferID] = []
            repeat {
                let page = try #require(try await list.transfers(filter, before: before, limit: limit, Self.access))
                transfers += page.items.map(\.id)
                before = page.next
            } while before != nil
            #expect(transfers == entries.map(\.transferID))
        }
    }

    @Test("a kept total that is wrong is named by verify, and no statement is made of it")
    func wrongTotals() async throws {
        let fixture = try await MoneyFixture()
        let past = ReadHistory(pool: fixture.pool, settling: .zero, clock: fixture.clock)
        let wallet = try await fixture.openWallet()
        for _ in 0..<9 { _ = try await fixture.post((0..<256).map { _ in MoneyFixture.deposit(wallet, 2) }) }
        let question = ReadHistory.StatementQuestion(wallet: wallet, limit: 1)
        #expect(try await eventually { try await past.statement(question, Self.access)?.totalCreditsMinor == 4_608 })
        #expect(try await fixture.verify().findings == [])
        let owner = try await PostgresConnection.connect(PostgresConfiguration(url: fixture.database.ownerURL))
        try await owner.withSession { session in
            try session.unsafeScript("ALTER TABLE entry_totals DISABLE TRIGGER USER")
            #expect(try session.execute("UPDATE entry_totals SET credits = credits + 1") == 1)
        }
        await owner.close()
        let findings = try await fixture.verify().findings
        #expect(findings.map(\.kind) == [.statement] && findings.map(\.row) == ["\(wallet)/1"])
        await #expect(throws: UnreadableRow.self) { _ = try await past.statement(question, Self.access) }
    }
}
