import Contracts
import Dispatch
import Postgres
import Synchronization
import TestSupport
import Testing

@testable import OpsRisk

@Suite("Two consumers at once")
struct JudgeRaceTests {
    /// Each takes its batches one after the other, in transactions of its own.
    private func run(_ fixture: RiskFixture, _ consumers: [[[CustomerDebit]]]) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for batches in consumers {
                group.addTask {
                    for batch in batches { try await fixture.apply(batch) }
                }
            }
            try await group.waitForAll()
        }
    }

    @Test("a consumer that is not done with a wallet holds up another one, which then counts its debits too")
    func linedUp() async throws {
        let fixture = try await RiskFixture()
        let judge = fixture.judge
        let wallet = RiskSamples.newWallet()
        let debits = (0..<4).map { ObservedDebit(debit: RiskSamples.debit(wallet, at: Double($0)), traceparent: nil) }
        let isJudged = Mutex(false)
        let isDone = Mutex(false)
        let release = DispatchSemaphore(value: 0)
        async let first: Void = fixture.pool.withTransaction { session in
            try judge(Array(debits.prefix(2)), session)
            isJudged.withLock { $0 = true }
            release.wait()
        }
        #expect(try await eventually { isJudged.withLock { $0 } })
        async let second: Void = {
            try await fixture.apply(debits.suffix(2).map(\.debit))
            isDone.withLock { $0 = true }
        }()
        let waits = try await eventually {
            let waiting = try await fixture.query("SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid <> 0") { _ in true }
            return !waiting.isEmpty || isDone.withLock { $0 }
        }
        #expect(waits && !isDone.withLock { $0 })
        release.signal()
        _ = try await (first, second)
        #expect(try await fixture.alerts().map(\.finding) == [.velocity(count: 4, limit: 3, windowSeconds: 60)])
    }

    @Test("different debits of the same wallets are counted together", arguments: 0..<8)
    func different(seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        let fixture = try await RiskFixture()
        let wallets = (0..<4).map { _ in RiskSamples.newWallet() }
        // So few per wallet that only both consumers' together are too many.
        let debits = wallets.flatMap { wallet in (0..<4).map { RiskSamples.debit(wallet, at: Double($0)) } }.shuffled(using: &random)
        try await run(fixture, [debits.prefix(8).map { [$0] }, [Array(debits.suffix(8))]])
        #expect(try await fixture.matters().sorted() == AlertMatter.all(of: Set(debits), RiskSamples.rules).sorted())
        #expect(try await fixture.alerts().count == 4)
    }

    @Test("the same debits, in whatever order, raise each alert once", arguments: 0..<8)
    func same(seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        let fixture = try await RiskFixture()
        let wallets = (0..<3).map { _ in RiskSamples.newWallet() }
        let debits = (0..<40).map { index in
            RiskSamples.debit(wallets[index % 3], at: Double.random(in: 0..<150, using: &random).rounded(), index % 5 == 0 ? 1_000_000 : 10)
        }
        let consumers = (0..<3).map { _ in
            let order = debits.shuffled(using: &random)
            return stride(from: 0, to: order.count, by: 8).map { Array(order[$0..<$0 + 8]) }
        }
        try await run(fixture, consumers)
        let matters = try await fixture.matters()
        #expect(matters.sorted() == AlertMatter.all(of: Set(debits), RiskSamples.rules).sorted(), "seed \(seed)")
        #expect(try await fixture.events().count == matters.count)
        #expect(try await fixture.count("customer_debits") == 40)
    }
}
