import ArgumentParser
import FoundationEssentials

/// `fleetctl demo`: the journey that shows what the fleet promises.
struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo", abstract: "Walks through what the ledger promises, on the fleet that is up.",
        discussion: """
            `make demo` sets the variables it needs. New users and keys each time, so it can be repeated. Exit codes: 0 every step passed, \
            1 a step did not, 64 it cannot start.
            """)

    private static let exitCodeUsage: Int32 = 64

    func run() async throws {
        let journey: DemoJourney
        do {
            let settings = try DemoSettings(environment: ProcessInfo.processInfo.environment) { path in
                FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
            }
            journey = DemoJourney(
                settings: settings, report: DemoReport(print: { print($0) }), now: Int64(Date().timeIntervalSince1970))
        } catch {
            print("fleetctl demo: \(error)")
            throw ExitCode(Self.exitCodeUsage)
        }
        do {
            try await journey.run()
        } catch let failure as DemoFailure {
            print("✗ \(failure)")
            throw ExitCode.failure
        } catch {
            print("fleetctl demo: \(error)")
            throw ExitCode(Self.exitCodeUsage)
        }
    }
}
