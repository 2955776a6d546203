import Contracts
import Foundation
import Idempotency
import Logging
import Observability
import Postgres
import ServiceDatabase
import ServiceRuntime
import Synchronization
import TestSupport
import Testing

@testable import WalletLedger

/// F1: a server's clock that was wrong for two seconds made every time in the ledger wrong for as long as the step was large.
@Suite("A server whose clock steps")
struct ClockStepTests {
    private static let hour = 3_600
    private static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// How often a caller got what.
    private final class Tally: Sendable {
        struct Counts {
            var posted = 0
            var refused = 0
            var isOver = false
        }

        private let counts = Mutex(Counts())

        func withLock<Value: Sendable>(_ body: (inout sending Counts) -> sending Value) -> Value { counts.withLock(body) }
    }

    /// What in the ledger lies more than 10 s after now, by this machine's clock.
    private static func ahead(_ fixture: MoneyFixture) async throws -> Int64 {
        let latest = PostgresTimestamp(microsecondsSinceUnixEpoch: WallClock.microsecondsSinceUnixEpoch() + 10_000_000)
        return try await fixture.pool.withSession { session in
            try session.query(
                """
                SELECT (SELECT count(*) FROM transfers WHERE posted_at > \(latest)) + (SELECT count(*) FROM entries WHERE posted_at > \(latest))
                    + (SELECT count(*) FROM wallets WHERE last_posted_at > \(latest)) + (SELECT count(*) FROM holds WHERE placed_at > \(latest))
                    + (SELECT count(*) FROM outbox_events WHERE occurred_at > \(latest))
                    + (SELECT count(*) FROM idempotency_keys WHERE created_at > \(latest))
                """)[0].decode(Int64.self)
        }
    }

    @Test(
        "stamps nothing, expires no hold, calls nothing final and deletes no key while it is wrong, and all goes on after it",
        arguments: [hour, -hour])
    func stepsUnderTraffic(_ step: Int) async throws {
        try await PostgresServer.withSeparate(ownClock: true) { server in
            let fixture = try await MoneyFixture(server: server)
            let wallets = [try await fixture.openWallet(), try await fixture.openWallet(), try await fixture.openWallet()]
            _ = try await fixture.post(wallets.map { MoneyFixture.deposit($0, 100_000) })
            let hold = MoneyFixture.newHold(wallets[0], wallets[1], 50)
            _ = try await fixture.post([MoneyFixture.place(hold, seconds: 1_800)])
            let tally = Tally()
            try await fixture.withReplicas(2) { queues in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for caller in 0..<4 {
                        group.addTask {
                            while !tally.withLock({ $0.isOver }) {
                                let (from, to) = (wallets[caller % 3], wallets[(caller + 1) % 3])
                                switch await queues[caller % 2].post(MoneyFixture.transfer(from, to, 1)) {
                                case .posted: tally.withLock { $0.posted += 1 }
                                case .failed(.unavailable): tally.withLock { $0.refused += 1 }
                                case let other: Issue.record("\(other)")
                                }
                            }
                        }
                    }
                    defer { tally.withLock { $0.isOver = true } }
                    #expect(try await eventually { tally.withLock { $0.posted > 50 } })
                    try server.setClock(ahead: step)
                    #expect(try await eventually { tally.withLock { $0.refused > 50 } })
                    try await Self.holdsStill(fixture, queues[0], hold, wallets[0])
                    try server.setClock(ahead: 0)
                    let before = tally.withLock { $0.posted }
                    #expect(try await eventually { tally.withLock { $0.posted > before + 50 } })
                }
            }
            #expect(try await Self.ahead(fixture) == 0)
            let state = try await fixture.pool.withSession { session in try HoldStore().hold(session, hold.id)?.status }
            #expect(state == .open)
            #expect(try await fixture.verify().findings == [])
        }
    }

    /// What stands on the clock does nothing by one that is wrong.
    private static func holdsStill(_ fixture: MoneyFixture, _ queue: PostingQueue, _ hold: HoldTerms, _ wallet: WalletID) async throws {
        let expiry = HoldExpiry(
            queue: queue, pool: fixture.pool, now: { Timestamp(microsecondsSinceUnixEpoch: 1_795_000_000_000_000) }, logger: quiet)
        #expect(try await expiry.expirePage() == 0)
        let history = ReadHistory(pool: fixture.pool, clock: fixture.clock)
        let soon = Timestamp(microsecondsSinceUnixEpoch: WallClock.microsecondsSinceUnixEpoch() + 60_000_000)
        await #expect(throws: ClockDisagreement.self) {
            _ = try await history.balance(of: wallet, at: soon, .user(MoneyFixture.owner))
        }
        let staff = RequestOrigin(caller: "backoffice", access: .staff("usr_s"), key: nil, requestID: "change")
        await #expect(throws: ClockDisagreement.self) {
            _ = try await ChangeWallet(pool: fixture.pool, clock: fixture.clock)(wallet, .unfreeze, reason: "x", staff)
        }
        await #expect(throws: ClockDisagreement.self) { _ = try await fixture.openWallet() }
    }

    @Test("deletes no key by a clock that is far ahead")
    func keepsKeys() async throws {
        try await PostgresServer.withSeparate(ownClock: true) { server in
            let fixture = try await MoneyFixture(server: server)
            let wallet = try await fixture.openWallet()
            let request = MoneyFixture.deposit(wallet, 100, key: "once")
            let first = try await fixture.post([request])
            let expiry = RowExpiry(of: "idempotency keys", pool: fixture.pool, clock: fixture.clock, logger: Self.quiet) { session, count in
                try IdempotencyStore<RecordedOutcome>().expire(session, atMost: count)
            }
            try server.setClock(ahead: 40 * 86_400)
            await #expect(throws: ClockDisagreement.self) { try await expiry.expire() }
            try server.setClock(ahead: 0)
            #expect(try await expiry.expire() == 0)
            #expect(try await fixture.post([MoneyFixture.deposit(wallet, 100, key: "once")])[0].postedID == first[0].postedID)
            #expect(try await fixture.balance(wallet) == 100)
        }
    }

    @Test("is not believed either when the process's own clock has stepped with it: they share a machine")
    func sharedMachine() async throws {
        try await PostgresServer.withSeparate(ownClock: true) { server in
            let step = Atomic<Int64>(0)
            let shared = ClockWitness(wall: { WallClock.microsecondsSinceUnixEpoch() + step.load(ordering: .relaxed) * 1_000_000 })
            let fixture = try await MoneyFixture(server: server)
            let wallet = try await fixture.openWallet()
            func post() async throws -> [PostingOutcome] {
                try await fixture.pool.withSession { session in try PostBatch(clock: shared).run(session, [MoneyFixture.deposit(wallet, 1)]) }
            }
            #expect(try await post()[0].postedID != nil)
            try server.setClock(ahead: Self.hour)
            step.store(Int64(Self.hour), ordering: .relaxed)
            await #expect(throws: ClockDisagreement.self) { try await post() }
            try server.setClock(ahead: 0)
            step.store(0, ordering: .relaxed)
            #expect(try await post()[0].postedID != nil)
            #expect(try await Self.ahead(fixture) == 0)
        }
    }

    /// Posts as everybody would at a time when all clocks agreed on that.
    private static func post(
        _ fixture: MoneyFixture, _ server: PostgresServer, ahead seconds: Int, _ request: PostingRequest
    ) async throws -> Posting {
        try server.setClock(ahead: seconds)
        let clock = ClockWitness(wall: { WallClock.microsecondsSinceUnixEpoch() + Int64(seconds) * 1_000_000 })
        return try await fixture.pool.withSession { session in
            let outcome = try PostBatch(clock: clock).run(session, [request])[0]
            let id = try #require(outcome.postedID, "\(outcome)")
            return try #require(try BatchStore().postings(session, [id])[id])
        }
    }

    private static func seconds(ahead time: Timestamp) -> Double {
        Double(time.microsecondsSinceUnixEpoch - WallClock.microsecondsSinceUnixEpoch()) / 1e6
    }

    @Test("leaves wallets ahead that hold up their own times only, and heal when the clock has passed them")
    func healing() async throws {
        try await PostgresServer.withSeparate(ownClock: true) { server in
            let fixture = try await MoneyFixture(server: server)
            let (a, b, c) = (try await fixture.openWallet(), try await fixture.openWallet(), try await fixture.openWallet())
            // What the fault left behind: a wallet, and one of the world's, whose last entries lie an hour ahead.
            _ = try await Self.post(fixture, server, ahead: Self.hour, MoneyFixture.deposit(a, 1_000))
            for wallet in [b, c] {
                let deposit = try await Self.post(fixture, server, ahead: 0, MoneyFixture.deposit(wallet, 1_000))
                #expect(abs(Self.seconds(ahead: deposit.postedAt)) < 600 && deposit.credit.postedAt == deposit.postedAt)
            }
            let touching = try await Self.post(fixture, server, ahead: 0, MoneyFixture.transfer(a, b, 1))
            #expect(abs(Self.seconds(ahead: touching.postedAt)) < 600 && touching.credit.postedAt == touching.postedAt)
            #expect(abs(Self.seconds(ahead: touching.debit.postedAt) - Double(Self.hour)) < 600)
            let between = try await Self.post(fixture, server, ahead: 0, MoneyFixture.transfer(b, c, 1))
            #expect(between.debit.postedAt == between.postedAt && between.credit.postedAt == between.postedAt)
            let report = try await fixture.verify()
            #expect(report.findings == [])
            #expect(report.walletsAhead == 2 && report.summary.contains("2 wallets ahead of the clock until"))

            let healed = try await Self.post(fixture, server, ahead: Self.hour + 60, MoneyFixture.transfer(a, b, 1))
            #expect(
                healed.postedAt > touching.debit.postedAt && healed.debit.postedAt == healed.postedAt && healed.credit.postedAt == healed.postedAt)
            #expect(try await fixture.verify().walletsAhead == 0)
        }
    }
}

/// Ledgers that a clock has already put ahead, as ones of before 0019 may be.
@Suite("A ledger with wallets ahead of the clock", .onEachDatabasePath)
struct WalletsAheadTests {
    private struct Times {
        let transfer: Timestamp
        /// By wallet, of that transfer.
        let entries: [WalletID: Timestamp]
    }

    private static func times(_ fixture: MoneyFixture, _ id: TransferID) async throws -> Times {
        try await fixture.pool.withSession { session in
            let posting = try #require(try BatchStore().postings(session, [id])[id])
            return Times(
                transfer: posting.postedAt,
                entries: [posting.debit.walletID: posting.debit.postedAt, posting.credit.walletID: posting.credit.postedAt])
        }
    }

    private static func alter(_ fixture: MoneyFixture, _ statements: [String]) async throws {
        try await fixture.database.server.execute(
            ["SET session_replication_role = replica"] + statements, database: fixture.database.name)
    }

    private static func isNow(_ time: Timestamp?) -> Bool {
        guard let time else { return false }
        // Since a generous while before, so that a busy machine fails nothing; an hour ahead is far outside.
        return abs(time.microsecondsSinceUnixEpoch - WallClock.microsecondsSinceUnixEpoch()) < 600_000_000
    }

    private static func post(_ fixture: MoneyFixture, _ from: WalletID, _ to: WalletID) async throws -> Times {
        let outcome = try await fixture.post([MoneyFixture.transfer(from, to, 1)])
        return try await times(fixture, try #require(outcome[0].postedID))
    }

    @Test("a last time that no entry has is back with the next posting, change or hold")
    func columnOnly() async throws {
        let fixture = try await MoneyFixture()
        let (a, b, c) = (try await fixture.openWallet(), try await fixture.openWallet(), try await fixture.openWallet())
        _ = try await fixture.post([a, b, c].map { MoneyFixture.deposit($0, 1_000) })
        try await Self.alter(fixture, ["UPDATE wallets SET last_posted_at = now() + interval '1 hour'"])
        let times = try await Self.post(fixture, a, b)
        #expect(Self.isNow(times.transfer) && Self.isNow(times.entries[a]) && Self.isNow(times.entries[b]))
        let staff = RequestOrigin(caller: "backoffice", access: .staff("usr_s"), key: nil, requestID: "change")
        _ = try await ChangeWallet(pool: fixture.pool, clock: fixture.clock)(c, .unfreeze, reason: "x", staff)
        let hold = MoneyFixture.newHold(c, a, 5)
        guard case .holdPlaced(let placed, _) = try await fixture.post([MoneyFixture.place(hold)])[0] else {
            Issue.record("no hold")
            return
        }
        #expect(Self.isNow(placed.placedAt))
        for wallet in [a, b, c] {
            let state = try await fixture.pool.withSession { session in try WalletStore().wallet(session, wallet) }
            #expect(Self.isNow(state?.lastPostedAt))
        }
        #expect(try await fixture.verify().findings == [])
    }
}
