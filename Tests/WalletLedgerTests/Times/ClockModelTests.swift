import Contracts
import Foundation
import HTTPService
import Logging
import Observability
import Postgres
import ServiceDatabase
import ServiceRuntime
import Synchronization
import TestSupport
import Testing

@testable import WalletLedger

/// The clocks of a model: the true time passes in leaps, and every clock may be off it for a while.
private final class ModelClocks: Sendable {
    /// Seconds that were leapt over; the machine's own time passes as well.
    let leapt = Atomic<Int64>(0)
    private let errors = Mutex<[Int64]>([])
    private let start = ContinuousClock.now

    init(processes: Int) { errors.withLock { $0 = Array(repeating: 0, count: processes) } }

    /// Unix microseconds.
    var trueTime: Int64 { WallClock.microsecondsSinceUnixEpoch() + leapt.load(ordering: .relaxed) * 1_000_000 }

    func set(_ process: Int, off seconds: Int64) { errors.withLock { $0[process] = seconds } }

    func witness(of process: Int) -> ClockWitness {
        ClockWitness(
            wall: { self.trueTime + self.errors.withLock { $0[process] } * 1_000_000 },
            steady: { .now - self.start + .seconds(self.leapt.load(ordering: .relaxed)) })
    }
}

/// Replicas, a primary and a standby whose clocks step forwards and backwards at random, each by itself or several together, by little or
/// by much, but never for longer than it takes to be believed.
@Suite("Times under clocks that step")
struct ClockModelTests {
    private static let steps = 350
    private static let replicas = 2
    private static let small: [Int64] = [-4, -2, 2, 4]
    private static let large: [Int64] = [-86_400, -3_600, -30, 30, 3_600, 86_400]
    /// Seconds for which a clock may be off before all are right again: less than ``ClockWitness/confirmation``.
    private static let longestError: Int64 = 45
    private static let access = WalletAccess.user(MoneyFixture.owner)

    private struct Replica {
        let clock: ClockWitness
        let history: ReadHistory
        let standby: ReplicaReads
    }

    private struct Answer {
        let wallet: WalletID
        let at: Timestamp
        let body: PastBalanceBody?
    }

    private struct Counts {
        var posted = 0
        var refused = 0
        var answered = 0
        var unanswered = 0
    }

    /// One run of the model: its servers, its clocks and what it has seen.
    private final class Run {
        let primary: PostgresServer
        let standby: PostgresServer
        let fixture: MoneyFixture
        let standbyPool: PostgresPool
        let clocks = ModelClocks(processes: ClockModelTests.replicas)
        let replicas: [Replica]
        var wallets: [WalletID] = []
        var hold: HoldTerms?
        var random: SeededGenerator
        var primaryError: Int64 = 0
        var standbyError: Int64 = 0
        var wrongFor: Int64 = 0
        var answers: [Answer] = []
        var counts = Counts()

        init(_ primary: PostgresServer, _ standby: PostgresServer, seed: UInt64) async throws {
            (self.primary, self.standby) = (primary, standby)
            random = SeededGenerator(seed: seed)
            let fixture = try await MoneyFixture(server: primary)
            let standbyPool = PostgresPool(
                configuration: try PostgresConfiguration(
                    url: standby.url(
                        database: fixture.database.name, user: fixture.database.roles.serving, password: TestDatabase.rolePassword)))
            replicas = (0..<ClockModelTests.replicas).map { [clocks] index in
                let clock = clocks.witness(of: index)
                let reads = ReplicaReads(
                    primary: fixture.pool, replica: standbyPool, clock: clock, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
                return Replica(clock: clock, history: ReadHistory(pool: fixture.pool, replica: reads, clock: clock), standby: reads)
            }
            (self.fixture, self.standbyPool) = (fixture, standbyPool)
            try apply()
        }

        func apply() throws {
            let leapt = clocks.leapt.load(ordering: .relaxed)
            try primary.setClock(ahead: Int(leapt + primaryError))
            try standby.setClock(ahead: Int(leapt + standbyError))
        }

        func setAllRight() throws {
            (primaryError, standbyError, wrongFor) = (0, 0, 0)
            for index in 0..<ClockModelTests.replicas { clocks.set(index, off: 0) }
            try apply()
        }

        func leap(_ seconds: Int64) throws {
            wrongFor += seconds
            if wrongFor > ClockModelTests.longestError { try setAllRight() }
            clocks.leapt.add(seconds, ordering: .relaxed)
            try apply()
        }

        func error() -> Int64 {
            (Bool.random(using: &random) ? ClockModelTests.small : ClockModelTests.large).randomElement(using: &random) ?? 0
        }

        func post(_ request: PostingRequest) async throws -> PostingOutcome? {
            let clock = replicas.randomElement(using: &random)!.clock
            let before = clocks.trueTime
            do {
                let outcome = try await fixture.pool.withSession { session in try PostBatch(clock: clock).run(session, [request])[0] }
                if case .posted(let body, _) = outcome {
                    counts.posted += 1
                    // A posting has the true time, as nearly as clocks are believed.
                    let time = body.postedAt.microsecondsSinceUnixEpoch
                    #expect(time >= before - 5_000_000 && time <= clocks.trueTime + 5_000_000, "\(body.postedAt)")
                    #expect(body.entries.allSatisfy { $0.postedAt == body.postedAt })
                }
                return outcome
            } catch is ClockDisagreement {
                counts.refused += 1
                return nil
            }
        }

        func ask(_ history: ReadHistory, _ wallet: WalletID, at time: Timestamp) async throws -> Answer? {
            do {
                return Answer(wallet: wallet, at: time, body: try await history.balance(of: wallet, at: time, ClockModelTests.access))
            } catch is ClockDisagreement {
                return nil
            } catch is HistoryRefusal {
                return nil
            }
        }

        func step() async throws {
            switch Int.random(in: 0..<20, using: &random) {
            case 0..<8:
                let (from, to) = (wallets.randomElement(using: &random)!, wallets.randomElement(using: &random)!)
                guard from != to else { return }
                _ = try await post(MoneyFixture.transfer(from, to, Int64.random(in: 1...9, using: &random)))
            case 8:
                guard let hold else { return }
                // Its time is not over, whatever a clock says.
                let outcome = try await post(MoneyFixture.expire(hold))
                #expect(outcome == nil || outcome?.refusal == .holdNotOpen, "\(String(describing: outcome))")
            case 9, 10: try leap(Int64.random(in: 1...20, using: &random))
            case 11: primaryError = error()
            case 12: clocks.set(Int.random(in: 0..<ClockModelTests.replicas, using: &random), off: error())
            case 13:
                // One machine for all.
                primaryError = error()
                for index in 0..<ClockModelTests.replicas { clocks.set(index, off: primaryError) }
            case 14: standbyError = error()
            case 15: try setAllRight()
            case 16: await replicas.randomElement(using: &random)!.standby.sample()
            default:
                let distance = Int64.random(in: -90...10, using: &random) * 1_000_000 + Int64.random(in: 0..<1_000_000, using: &random)
                let skipped = Bool.random(using: &random) ? 0 : primaryError
                let asked = Timestamp(microsecondsSinceUnixEpoch: clocks.trueTime + distance + skipped * 1_000_000).wholeMillisecond
                let wallet = wallets.randomElement(using: &random)!
                if let answer = try await ask(replicas.randomElement(using: &random)!.history, wallet, at: asked) {
                    counts.answered += 1
                    answers.append(answer)
                } else {
                    counts.unanswered += 1
                }
            }
            try apply()
        }
    }

    @Test(
        "what is posted has the true time, what was answered stays true, and no hold expires early, whatever the clocks do",
        arguments: [[1, 2, 3] as [UInt64]])
    func model(_ seeds: [UInt64]) async throws {
        try await PostgresServer.withSeparate(ownClock: true) { primary in
            let standby = try await PostgresServer.startStandby(of: primary, ownClock: true)
            do {
                for seed in seeds { try await Self.run(Run(primary, standby, seed: seed), seed) }
            } catch {
                try? await standby.stop(.immediate)
                throw error
            }
            try await standby.stop(.immediate)
        }
    }

    private static func run(_ run: Run, _ seed: UInt64) async throws {
        for _ in 0..<4 { run.wallets.append(try await run.fixture.openWallet()) }
        _ = try await run.fixture.post(run.wallets.map { MoneyFixture.deposit($0, 100_000) })
        let hold = MoneyFixture.newHold(run.wallets[0], run.wallets[1], 5)
        _ = try await run.fixture.post([MoneyFixture.place(hold, seconds: 500_000)])
        run.hold = hold
        // What is behind the settling time can be asked for from here on.
        try run.leap(30)
        for _ in 0..<steps { try await run.step() }

        try run.setAllRight()
        run.clocks.leapt.add(200_000, ordering: .relaxed)
        try run.apply()
        let judge = ReadHistory(pool: run.fixture.pool, clock: run.clocks.witness(of: 0))
        for answer in run.answers {
            let again = try #require(try await run.ask(judge, answer.wallet, at: answer.at))
            #expect(again.body == answer.body, "seed \(seed), \(answer.wallet) at \(answer.at)")
        }
        let counts = run.counts
        #expect(counts.posted > 40 && counts.refused > 10 && counts.answered > 10 && counts.unanswered > 5, "seed \(seed): \(counts)")
        let report = try await run.fixture.verify()
        #expect(report.findings == [] && report.walletsAhead == 0, "seed \(seed)")
        await run.standbyPool.close()
        await run.fixture.pool.close()
        // The next seed begins with the true time.
        run.clocks.leapt.store(0, ordering: .relaxed)
        try run.apply()
    }
}
