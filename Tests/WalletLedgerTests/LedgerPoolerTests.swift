import Contracts
import Foundation
import Postgres
import TestSupport
import Testing

@testable import WalletLedger

/// What the other suites' second run rests on, and what only a pooler can do to the ledger.
@Suite("The ledger behind PgBouncer")
struct LedgerPoolerTests {
    private static let kills = 3

    @Test("a test runs on each path, and behind the pooler transactions share its few connections", .onEachDatabasePath)
    func paths() async throws {
        let fixture = try await MoneyFixture()
        let server = fixture.database.server
        let path = try #require(DatabasePath.current)
        #expect(fixture.configuration.port == (path == .direct ? server.port : try await server.pooler().port))
        let processes = try await withThrowingTaskGroup(of: Int32.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    try await fixture.pool.withTransaction { session in
                        try session.query("SELECT pg_backend_pid(), count(*) FROM generate_series(1, 30000)")[0].decode(Int32.self, Int64.self).0
                    }
                }
            }
            return try await group.reduce(into: Set<Int32>()) { $0.insert($1) }
        }
        let opened = fixture.pool.statistics.totalOpened
        #expect(opened > PgBouncer.serverConnections)
        #expect(path == .direct ? (2...opened).contains(processes.count) : processes.count <= PgBouncer.serverConnections)
    }

    @Test("a wallet that stays locked fails its own posting alone, and the time-outs set for it stay behind nowhere", .onEachDatabasePath)
    func lockTimeout() async throws {
        let fixture = try await MoneyFixture()
        let (held, source, destination) = (
            try await fixture.openWallet(), try await fixture.openWallet(), try await fixture.openWallet()
        )
        _ = try await fixture.post([MoneyFixture.deposit(held, 10), MoneyFixture.deposit(source, 10)])
        let holder = try await fixture.database.server.superuserConnection(database: fixture.database.name)
        let release = DispatchSemaphore(value: 0)
        let (locked, announcement) = AsyncStream<Void>.makeStream()
        async let holding: Void = holder.withSession { session in
            defer { announcement.finish() }
            try session.begin()
            try session.execute("SELECT FROM wallets WHERE id = \(held.uuid) FOR UPDATE")
            announcement.finish()
            _ = release.wait(timeout: .now() + .seconds(30))
        }
        for await _ in locked {}
        let outcomes = try await fixture.withReplicas(1) { queues in
            async let stuck = queues[0].post(MoneyFixture.transfer(held, destination, 1))
            async let neighbour = queues[0].post(MoneyFixture.transfer(source, destination, 1))
            return await [stuck, neighbour]
        }
        release.signal()
        try await holding
        #expect(outcomes[0] == .failed(.unavailable))
        #expect(outcomes[1].postedID != nil)
        await holder.close()
        for _ in 0..<PgBouncer.serverConnections * 2 {
            let leftover = try await fixture.pool.withSession { session in
                try session.query("SELECT current_setting('lock_timeout') || ' ' || current_setting('statement_timeout')")[0].decode(String.self)
            }
            #expect(leftover == "0 0")
        }
    }

    @Test("the pooler is killed under a storm: what was acknowledged exists once, the rest resolves by repeating its key")
    func killed() async throws {
        let pooler = try await PgBouncer.start(before: await PostgresServer.shared())
        let fixture = try await MoneyFixture(through: pooler)
        let storm = try await MoneyStorm(fixture)
        let killed = try await storm.rage { progress in
            var kills = 0
            while kills < Self.kills {
                // Each time it has come to work again, and has some way to go.
                let before = progress.postings
                guard try await eventually({ progress.postings > before + 32 || progress.isOver }), !progress.isOver else { break }
                try await pooler.killAndRestart()
                kills += 1
            }
            return kills
        }
        #expect(killed > 0)
        try await storm.reckon(fixture.reconnected())
    }
}
