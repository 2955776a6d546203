import Contracts
import Foundation
import Logging
import Postgres
import TestSupport
import Testing

@testable import WalletLedger

/// A real standby: what it may answer, and that every answer is the primary's.
@Suite("Reads of a streaming standby", .serialized)
struct ReplicaReadTests {
    private static let access = WalletAccess.user(MoneyFixture.owner)

    /// A primary and its standby, with a wallet on both.
    private struct Pair {
        let fixture: MoneyFixture
        let standby: PostgresServer
        let replicaPool: PostgresPool
        let reads: ReplicaReads
        let wallet: WalletID

        /// The standby alone: nil where the primary would have to be asked.
        func balanceOfReplica(at time: Timestamp) async -> Int64? {
            await reads.read(before: time.nextMillisecond, settling: .zero) { session in
                try HistoryStore().lastEntry(session.query(HistoryStore().lastEntryQuery(wallet, before: time.nextMillisecond))[0]).balanceMinor
            }
        }

        func clock() async throws -> Timestamp {
            try await fixture.pool.withSession { session in try WalletStore().clock(session, fixture.clock) }
        }

        func onStandby(_ statement: String) async throws {
            try await standby.execute([statement], database: fixture.database.name)
        }
    }

    private func pair() async throws -> Pair {
        let primary = try await PostgresServer.startSeparate(settings: ["fsync": "off"])
        let fixture = try await MoneyFixture(server: primary)
        let wallet = try await fixture.openWallet()
        _ = try await fixture.post([MoneyFixture.deposit(wallet, 100)])
        let standby = try await PostgresServer.startStandby(of: primary)
        let url = standby.url(database: fixture.database.name, user: fixture.database.roles.serving, password: TestDatabase.rolePassword)
        let options = PoolOptions(acquireTimeout: ReplicaReads.acquireTimeout)
        let replicaPool = PostgresPool(configuration: try PostgresConfiguration(url: url), options: options)
        let reads = ReplicaReads(primary: fixture.pool, replica: replicaPool, clock: fixture.clock, logger: Logger(label: "test"))
        return Pair(fixture: fixture, standby: standby, replicaPool: replicaPool, reads: reads, wallet: wallet)
    }

    @Test("the standby answers what it provably has, and nothing while its replay is paused or it is stopped")
    func lifecycle() async throws {
        let pair = try await pair()
        let history = ReadHistory(pool: pair.fixture.pool, replica: pair.reads, settling: .zero, clock: pair.fixture.clock)
        // What is posted in the millisecond of a time counts, so before it.
        let first = try await pair.clock().earlier(by: .milliseconds(2))
        #expect(await pair.balanceOfReplica(at: first) == nil)
        // Each look brings a sample; something has to be written for the standby to reach the next position.
        let isReached = try await eventually(within: .seconds(20)) {
            _ = try await pair.fixture.post([MoneyFixture.deposit(pair.wallet, 1)])
            await pair.reads.sample()
            return await pair.balanceOfReplica(at: first) != nil
        }
        #expect(isReached)
        #expect(await pair.balanceOfReplica(at: first) == 100)
        #expect(try await history.balance(of: pair.wallet, at: first, Self.access)?.balanceMinor == 100)
        // No sample covers what is younger than the last one.
        #expect(await pair.balanceOfReplica(at: try await pair.clock()) == nil)

        try await pair.onStandby("SELECT pg_wal_replay_pause()")
        let isPaused = try await eventually {
            let connection = try await pair.standby.superuserConnection()
            defer { Task { await connection.close() } }
            return try await connection.withSession { session in
                try session.query("SELECT pg_get_wal_replay_pause_state() = 'paused'")[0].decode(Bool.self)
            }
        }
        #expect(isPaused)
        let before = try await pair.fixture.balance(pair.wallet)
        _ = try await pair.fixture.post([MoneyFixture.deposit(pair.wallet, 1_000)])
        let second = try await pair.clock()
        await pair.reads.sample()
        await pair.reads.sample()
        #expect(await pair.balanceOfReplica(at: second) == nil)
        #expect(try await history.balance(of: pair.wallet, at: second, Self.access)?.balanceMinor == before + 1_000)
        // What it had before the pause it still has.
        #expect(await pair.balanceOfReplica(at: first) == 100)

        try await pair.onStandby("SELECT pg_wal_replay_resume()")
        #expect(try await eventually { await pair.balanceOfReplica(at: second) == before + 1_000 })
        let question = ReadHistory.StatementQuestion(wallet: pair.wallet, to: second, limit: 5)
        let statement = try #require(try await history.statement(question, Self.access))
        #expect(statement.closingBalanceMinor == statement.openingBalanceMinor + Int64(statement.totalCreditsMinor))

        try await pair.standby.stop(.immediate)
        for _ in 0..<3 { #expect(try await history.balance(of: pair.wallet, at: second, Self.access)?.balanceMinor == before + 1_000) }
        #expect(await pair.balanceOfReplica(at: second) == nil)
        try await pair.standby.start()
        let isBack = try await eventually(within: .seconds(20)) {
            await pair.reads.sample()
            return await pair.balanceOfReplica(at: second) == before + 1_000
        }
        #expect(isBack)
    }

    @Test("a primary, a promoted standby and another cluster are no replica")
    func others() async throws {
        let pair = try await pair()
        let itself = ReplicaReads(primary: pair.fixture.pool, replica: pair.fixture.pool, clock: pair.fixture.clock, logger: Logger(label: "test"))
        let elsewhere = try await MoneyFixture(server: .shared())
        let foreign = ReplicaReads(primary: elsewhere.pool, replica: pair.replicaPool, clock: pair.fixture.clock, logger: Logger(label: "test"))
        let time = try await pair.clock().earlier(by: .milliseconds(2))
        _ = try await pair.fixture.post([MoneyFixture.deposit(pair.wallet, 1)])
        for reads in [itself, foreign, pair.reads] { await reads.sample() }
        for reads in [itself, foreign] {
            #expect(await reads.read(before: time, settling: .zero) { _ in true } == nil)
        }
        #expect(try await eventually { await pair.balanceOfReplica(at: time) == 100 })
        try await pair.onStandby("SELECT pg_promote()")
        #expect(await pair.balanceOfReplica(at: time) == nil)
    }
}
