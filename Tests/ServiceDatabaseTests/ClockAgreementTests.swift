import Contracts
import ServiceRuntime
import Testing

@testable import ServiceDatabase

@Suite("Which readings of a server's clock are believed")
struct ClockAgreementTests {
    private static let second: Int64 = 1_000_000
    private static let hour: Int64 = 3_600 * second

    /// A process and a server whose clocks a test sets; the steady clock is the true time.
    private final class World {
        var agreement = ClockAgreement(tolerance: 5 * second, confirmation: 60 * second)
        var now: Int64 = 1_000 * second
        var serverAhead: Int64 = 0
        var processAhead: Int64 = 0
        /// How long the answer takes.
        var delay: Int64 = 1_000

        func read() -> Bool {
            let askedAt = now
            // The server reads its clock at the beginning of the delay; the answer is late.
            let server = now + serverAhead + 1_790_000_000 * second
            now += delay
            return agreement.judge(
                .init(server: server, askedAt: askedAt, answeredAt: now, wall: now + processAhead + 1_790_000_000 * second))
        }

        func pass(_ seconds: Int64) { now += seconds * second }
    }

    @Test(
        "a server's clock that steps for a moment is not believed, forwards or backwards, and is again when it is right",
        arguments: [hour, -hour, 6 * second, -6 * second])
    func serverSteps(_ step: Int64) {
        let world = World()
        #expect(world.read())
        world.serverAhead = step
        for _ in 0..<200 {
            world.pass(1)
            #expect(!world.read())
        }
        world.serverAhead = 0
        #expect(world.read())
    }

    @Test("a step of the machine that server and process share is not believed before it has lasted", arguments: [hour, -hour, 366 * 24 * hour])
    func bothStep(_ step: Int64) {
        let world = World()
        #expect(world.read())
        (world.serverAhead, world.processAhead) = (step, step)
        #expect(!world.read())
        world.pass(2)
        #expect(!world.read())
        (world.serverAhead, world.processAhead) = (0, 0)
        #expect(world.read())
        // Somebody sets both clocks, and they stay.
        (world.serverAhead, world.processAhead) = (step, step)
        #expect(!world.read())
        world.pass(59)
        #expect(!world.read())
        world.pass(2)
        #expect(world.read())
    }

    @Test("a contested time must be contested without a break")
    func brokenContest() {
        let world = World()
        #expect(world.read())
        for _ in 0..<5 {
            (world.serverAhead, world.processAhead) = (Self.hour, Self.hour)
            #expect(!world.read())
            world.pass(50)
            #expect(!world.read())
            (world.serverAhead, world.processAhead) = (0, 0)
            #expect(world.read())
            world.pass(50)
        }
    }

    @Test("a process whose own clock is wrong believes nobody, and the server as soon as its own is right")
    func processStartsWrong() {
        let world = World()
        world.processAhead = -Self.hour
        for _ in 0..<10 {
            world.pass(60)
            #expect(!world.read())
        }
        world.processAhead = 0
        #expect(world.read())
    }

    @Test("a process whose clock steps goes on by what it knew")
    func processSteps() {
        let world = World()
        #expect(world.read())
        world.processAhead = Self.hour
        for _ in 0..<100 {
            world.pass(10)
            #expect(world.read())
        }
    }

    @Test("an answer that comes late is judged by when it may have been given", arguments: [1, 10, 600] as [Int64])
    func late(_ seconds: Int64) {
        let world = World()
        #expect(world.read())
        world.delay = seconds * Self.second
        #expect(world.read())
        world.delay = 1_000
        #expect(world.read())
    }

    @Test("clocks that are corrected by small steps are followed")
    func corrections() {
        let world = World()
        #expect(world.read())
        for _ in 0..<100 {
            world.pass(3_600)
            world.processAhead += Self.second
            world.serverAhead += Self.second
            #expect(world.read())
        }
    }

    private static func health(_ witness: ClockWitness) async -> HealthReport.State? {
        await HealthReport.make(phase: .ready, checks: [witness.healthCheck]).checks.first?.state
    }

    @Test("the witness says no by throwing, and its health check with it")
    func witness() async throws {
        let witness = ClockWitness(wall: { 1_790_000_000_000_000 })
        let good = Timestamp(microsecondsSinceUnixEpoch: 1_790_000_000_000_000)
        try witness.check(good, askedAt: witness.willAsk())
        #expect(await Self.health(witness) == .ok)
        #expect(throws: ClockDisagreement.self) { try witness.check(good.later(by: .seconds(3_600)), askedAt: witness.willAsk()) }
        #expect(await Self.health(witness) == .degraded)
        try witness.check(good, askedAt: witness.willAsk())
        #expect(await Self.health(witness) == .ok)
    }
}
