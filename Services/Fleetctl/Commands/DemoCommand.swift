import ArgumentParser
import FoundationEssentials
import ServiceRuntime

/// `fleetctl demo`: the journey that shows what the fleet promises.
struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo", abstract: "Walk through what the ledger promises, on the running fleet.",
        discussion: """
            `make demo` sets the variables it needs. New users and keys each time, so it can be repeated. Exit codes: 0 every step passed, \
            1 a step did not, 3 part of the fleet cannot be reached, 64 wrong usage or configuration.
            """)

    func run() async throws {
        try await DemoRun.perform(environment: ProcessInfo.processInfo.environment, print: { print($0) }).exit()
    }
}
