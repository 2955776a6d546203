import Logging
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing

@testable import ServiceRuntime

@Suite("What is held back at the start of a process")
struct PrerequisiteGateTests {
    private static let away = UnreachableDependency("Postgres at 127.0.0.1:5432", reason: "connection refused")

    /// Serves until `during` has ended, which begins when the process runs; the code and the lines that an operator would see.
    private func serve(
        _ prerequisites: [Prerequisite], serving: [String], _ journal: Journal,
        during: @escaping @Sendable (_ drain: @escaping @Sendable () async -> Void) async throws -> Void
    ) async throws -> (running: String?, journal: [String]) {
        let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let steps = serving.map { name in DeferredStep(name: name, journal: journal) }
        let held = PrerequisiteGate(prerequisites: prerequisites, services: steps, logger: log)
        let group = ProcessGroup(
            services: [DeferredStep(name: "client", journal: journal), held], readiness: Readiness(), drainDelay: .zero, drainTimeout: .seconds(30),
            trapsSignals: false, logger: log)
        async let running: String? = {
            do {
                try await group.run()
                return nil
            } catch {
                return "\(error)"
            }
        }()
        try await during { await group.drain() }
        return (await running, journal.all)
    }

    @Test("nothing begins before what is needed answers; then everything does, and it drains in reverse order, before what was not held")
    func held() async throws {
        let journal = Journal()
        let tries = Mutex(0)
        let prerequisite = Prerequisite("database") {
            let count = tries.withLock { count in
                count += 1
                return count
            }
            if count < 3 { throw Self.away }
            #expect(journal.all == ["client begins"])
        }
        let (error, all) = try await serve([prerequisite], serving: ["writer", "server"], journal) { drain in
            let haveBegun = try await eventually { journal.all.count == 3 }
            #expect(haveBegun)
            await drain()
        }
        #expect(error == nil && tries.withLock { $0 } == 3)
        #expect(Set(all.prefix(3)) == ["client begins", "writer begins", "server begins"])
        #expect(all.suffix(3) == ["server ends", "writer ends", "client ends"])
    }

    @Test("what is found wrong when it answers ends the process, and what was not held is closed", arguments: [0, 2])
    func refused(attempts: Int) async throws {
        let tries = Mutex(0)
        let journal = Journal()
        let prerequisite = Prerequisite("database") {
            let count = tries.withLock { count in
                count += 1
                return count
            }
            if count <= attempts { throw Self.away }
            throw InvalidConfiguration(key: "DATABASE_ISOLATION_MODE", "strict refuses to start")
        }
        let (error, all) = try await serve([prerequisite], serving: ["server"], journal) { drain in
            _ = try await eventually { journal.all.contains("client ends") }
            // It has ended by itself; one that has not fails below.
            await drain()
        }
        #expect(error == "DATABASE_ISOLATION_MODE: strict refuses to start")
        #expect(all == ["client begins", "client ends"])
    }

    @Test("a drain ends the wait at once, also when the question hangs and does not notice; nothing that was held begins", arguments: [true, false])
    func drained(hangs: Bool) async throws {
        let journal = Journal()
        let asked = Mutex(false)
        let release = Mutex<CheckedContinuation<Void, Never>?>(nil)
        let prerequisite = Prerequisite("database") {
            asked.withLock { $0 = true }
            guard hangs else { throw Self.away }
            await withCheckedContinuation { continuation in release.withLock { $0 = continuation } }
        }
        let (error, all) = try await serve([prerequisite], serving: ["server"], journal) { drain in
            let isAsked = try await eventually { asked.withLock { $0 } }
            #expect(isAsked)
            await drain()
        }
        #expect(error == nil)
        #expect(all == ["client begins", "client ends"])
        if hangs { #expect(try await eventually { release.withLock { $0 != nil } }) }
        release.withLock { $0 }?.resume()
    }
}

/// Notes when it begins and ends.
private struct DeferredStep: Service {
    let name: String
    let journal: Journal

    func run() async throws {
        journal.note("\(name) begins")
        try? await gracefulShutdown()
        journal.note("\(name) ends")
    }
}
