import Contracts
import Foundation
import Postgres
import Synchronization
import TestSupport
import Testing

@testable import WalletLedger

/// That an answer about the past never changes, also where only the check of open batches stands behind it: no settling time here.
@Suite("Answers about the past are final", .onEachDatabasePath)
struct HistoryFinalityTests {
    private static let access = WalletAccess.user(MoneyFixture.owner)
    private static let workers = 16
    private static let steps = 60
    /// How long a connection is held for a test that has failed, in seconds.
    private static let patience = 20.0

    private final class Journal: Sendable {
        struct State: Sendable {
            var answers: [(time: Timestamp, body: PastBalanceBody)] = []
            /// Questions that an open batch held up.
            var refusals = 0
            var isOver = false
        }

        let state = Mutex(State())
    }

    /// What a question got: an answer, or nothing because it came too early.
    private static func ask(_ history: ReadHistory, _ wallet: WalletID, at time: Timestamp) async throws -> (body: PastBalanceBody?, isOpen: Bool) {
        do {
            return (try await history.balance(of: wallet, at: time, access), false)
        } catch let refusal as HistoryRefusal {
            return (nil, refusal == .unsettled)
        }
    }

    /// How many rows of this database's some catalogue has.
    private static func count(_ fixture: MoneyFixture, _ rows: String) async throws -> Int64 {
        try await fixture.pool.withSession { session in
            let here = "SELECT oid FROM pg_database WHERE datname = current_database()"
            return try session.query(PostgresQuery(unsafeSQL: "SELECT count(*) FROM \(rows) AND database = (\(here))"))[0].decode(Int64.self)
        }
    }

    private static func clock(_ fixture: MoneyFixture) async throws -> Timestamp {
        try await fixture.pool.withSession { session in try WalletStore().clock(session, fixture.clock) }
    }

    @Test("a batch that has taken its time and is not committed holds the answer up, and is in it afterwards")
    func heldBatch() async throws {
        let fixture = try await MoneyFixture()
        let history = ReadHistory(pool: fixture.pool, settling: .zero, clock: fixture.clock)
        let wallet = try await fixture.openWallet()
        _ = try await fixture.post([MoneyFixture.deposit(wallet, 100)])
        let before = try await Self.clock(fixture)
        let owner = try await PostgresConnection.connect(PostgresConfiguration(url: fixture.database.ownerURL))
        let (release, released) = (DispatchSemaphore(value: 0), Self.patience)
        // The batch's write needs this table, its time is older. It is held on the connection's own thread.
        async let holder: Void = owner.withSession { session in
            try session.begin()
            try session.execute("LOCK TABLE outbox_events IN EXCLUSIVE MODE")
            _ = release.wait(timeout: .now() + released)
            try session.commit()
        }
        #expect(try await eventually { try await Self.count(fixture, "pg_locks WHERE relation = 'outbox_events'::regclass AND granted") == 1 })
        async let outcome = fixture.post([MoneyFixture.deposit(wallet, 7)])
        #expect(try await eventually { try await Self.count(fixture, "pg_locks WHERE NOT granted") == 1 })
        let during = try await Self.clock(fixture)
        // No settling time: in the next millisecond it is no longer too recent.
        let isRefused = try await eventually { try await Self.ask(history, wallet, at: during).isOpen }
        #expect(isRefused)
        let earlier = Timestamp(microsecondsSinceUnixEpoch: before.microsecondsSinceUnixEpoch - 1_000)
        #expect(try await history.balance(of: wallet, at: earlier, Self.access)?.balanceMinor == 100)
        let statement = try #require(try await history.statement(.init(wallet: wallet, limit: 10), Self.access))
        #expect(statement.closingBalanceMinor == 100)
        #expect(statement.to < during)
        release.signal()
        try await holder
        #expect(try await outcome[0].postedID != nil)
        #expect(try await history.balance(of: wallet, at: during, Self.access)?.balanceMinor == 107)
        #expect(try await history.balance(of: wallet, at: earlier, Self.access)?.balanceMinor == 100)
        await owner.close()
    }

    @Test("the same question has the same answer later, asked while two replicas post")
    func underLoad() async throws {
        let fixture = try await MoneyFixture()
        let history = ReadHistory(pool: fixture.pool, settling: .zero, clock: fixture.clock)
        let a = try await fixture.openWallet()
        let b = try await fixture.openWallet()
        _ = try await fixture.post([MoneyFixture.deposit(a, 1_000_000), MoneyFixture.deposit(b, 1_000_000)])
        let journal = Journal()
        try await fixture.withReplicas(2) { queues in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    while !journal.state.withLock({ $0.isOver }) {
                        let now = try await Self.clock(fixture)
                        let time = Timestamp(microsecondsSinceUnixEpoch: now.microsecondsSinceUnixEpoch - Int64.random(in: 0...4_000))
                            .wholeMillisecond
                        let (body, isOpen) = try await Self.ask(history, a, at: time)
                        journal.state.withLock { state in
                            if let body { state.answers.append((time, body)) }
                            if isOpen { state.refusals += 1 }
                        }
                    }
                }
                await withTaskGroup(of: Void.self) { posting in
                    for worker in 0..<Self.workers {
                        posting.addTask {
                            for step in 0..<Self.steps {
                                let (from, to) = step.isMultiple(of: 2) ? (a, b) : (b, a)
                                _ = await queues[worker % 2].post(MoneyFixture.transfer(from, to, Int64(1 + step)))
                            }
                        }
                    }
                }
                journal.state.withLock { $0.isOver = true }
                try await group.waitForAll()
            }
        }
        let given = journal.state.withLock { $0 }
        #expect(given.answers.count > 20 && given.refusals > 0)
        for (time, body) in given.answers { #expect(try await history.balance(of: a, at: time, Self.access) == body) }
    }

    @Test("by default a time must lie as far back as a batch may wait and write, and the newest allowed is told")
    func tooRecent() async throws {
        let fixture = try await MoneyFixture()
        let history = ReadHistory(pool: fixture.pool, clock: fixture.clock)
        let wallet = try await fixture.openWallet()
        let now = try await Self.clock(fixture)
        let refusal = await #expect(throws: HistoryRefusal.self) { _ = try await history.balance(of: wallet, at: now, Self.access) }
        guard case .atTooRecent("at", let newest) = refusal else {
            Issue.record("\(refusal as Any)")
            return
        }
        let distance = Double(now.microsecondsSinceUnixEpoch - newest.microsecondsSinceUnixEpoch) / 1e6
        #expect(HistoryStore.settlingTime == .seconds(15))
        #expect((13.0...15.01).contains(distance))
        // What may be asked for is before the wallet was opened.
        #expect(try await history.balance(of: wallet, at: newest.earlier(by: .milliseconds(1)), Self.access) == nil)
    }

    @Test("the server ends a batch whose writer has stopped between its two round trips")
    func stoppedWriter() async throws {
        let fixture = try await MoneyFixture()
        let wallet = try await fixture.openWallet()
        let limit: String = try await fixture.pool.withSession { session in
            _ = try BatchStore().lock(session, [MoneyFixture.deposit(wallet, 1)], lockTimeout: .seconds(1), meanwhile: {})
            defer { session.rollback() }
            return try session.query("SHOW idle_in_transaction_session_timeout")[0].decode(String.self)
        }
        #expect(limit == "5s")
        let connection = try await PostgresConnection.connect(fixture.configuration)
        let (release, released) = (DispatchSemaphore(value: 0), Self.patience)
        let (started, announcement) = AsyncStream<Int32>.makeStream()
        async let stopped: Void = connection.withSession { session in
            try session.begin(TransactionOptions(idleTimeout: .milliseconds(50)))
            // Asked of the server: behind a pooler the connection knows the pooler's number only.
            announcement.yield(try session.query("SELECT pg_backend_pid()")[0].decode(Int32.self))
            _ = release.wait(timeout: .now() + released)
            #expect(throws: PostgresError.self) { try session.commit() }
        }
        var processID: Int32 = 0
        for await id in started {
            processID = id
            break
        }
        let backend = processID
        let isEnded = try await eventually {
            try await fixture.pool.withSession { session in
                try session.query("SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = \(backend))")[0].decode(Bool.self)
            }
        }
        release.signal()
        try await stopped
        #expect(isEnded)
        await connection.close()
    }
}
