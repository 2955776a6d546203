import Concurrency
import Logging
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing

@Suite("Work that is repeated", .timeLimit(.minutes(2)))
struct PeriodicTests {
    private final class Runs: Sendable {
        let count = Atomic(0)
    }

    @Test("it runs again and again until its task is cancelled")
    func cancelled() async throws {
        let runs = Runs()
        let task = Task { await Periodic.run(every: .milliseconds(1)) { runs.count.add(1, ordering: .relaxed) } }
        #expect(try await eventually { runs.count.load(ordering: .relaxed) >= 3 })
        task.cancel()
        await task.value
    }

    @Test("the first run waits for the interval, unless it starts at once")
    func first() async throws {
        let runs = Runs()
        let waiting = Task { await Periodic.run(every: .seconds(3_600)) { runs.count.add(1, ordering: .relaxed) } }
        waiting.cancel()
        await waiting.value
        #expect(runs.count.load(ordering: .relaxed) == 0)
        let starting = Task { await Periodic.run(every: .seconds(3_600), startsAtOnce: true) { runs.count.add(1, ordering: .relaxed) } }
        #expect(try await eventually { runs.count.load(ordering: .relaxed) == 1 })
        starting.cancel()
        await starting.value
    }

    /// Pauses twice, and reports each.
    private final class Sleeper: Service {
        let began = Atomic(false)
        let results = Mutex<[Bool]>([])

        func run() async throws {
            began.store(true, ordering: .relaxed)
            let first = await Periodic.pause(for: .seconds(3_600))
            let second = await Periodic.pause(for: .zero)
            results.withLock { $0 = [first, second] }
        }
    }

    @Test("a graceful shutdown ends a pause, and no other begins")
    func shutdown() async throws {
        let sleeper = Sleeper()
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [.init(service: sleeper, successTerminationBehavior: .gracefullyShutdownGroup)], logger: Logger(label: "test")))
        async let run: Void = group.run()
        #expect(try await eventually { sleeper.began.load(ordering: .relaxed) })
        await group.triggerGracefulShutdown()
        try await run
        #expect(sleeper.results.withLock { $0 } == [false, false])
    }
}
