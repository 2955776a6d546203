/// What the executable itself refuses and confirms: it is started again beside the ledger that is up.
struct DemoIsolationSteps: Sendable {
    /// EX_USAGE, with which every executable refuses its configuration.
    private static let configurationRefused: Int32 = 64
    private static let startLimit = Duration.seconds(20)
    /// `verify` reads every entry of a ledger that has been kept.
    private static let verifyLimit = Duration.seconds(600)

    let settings: DemoSettings
    let report: DemoReport

    func callAsFunction() async throws {
        try await report.step("with another service's database variable the ledger does not start") { step in
            var environment = settings.ledgerEnvironment
            environment["OPS_RISK_DATABASE_URL"] = settings.foreignDatabaseURL
            return try await refused(environment, naming: "OPS_RISK_DATABASE_URL", step)
        }
        try await report.step("nor with another service's database as its own") { step in
            var environment = settings.ledgerEnvironment
            environment["LEDGER_DATABASE_URL"] = settings.foreignDatabaseURL
            return try await refused(environment, naming: "DATABASE_ISOLATION_MODE", step)
        }
        try await report.step("wallet-ledger verify re-derives every balance from the entries") { step in
            let outcome = try await ChildProcess.run(
                settings.ledgerExecutable, ["verify"], environment: settings.ledgerEnvironment, limit: Self.verifyLimit
            ).unlessUnreachable("wallet-ledger verify")
            let last = outcome.lastLine ?? "nothing"
            guard outcome.exitCode == 0 else { throw DemoFailure(step: step.title, expected: "exit 0", got: Self.got(outcome)) }
            return last
        }
    }

    private func refused(_ environment: [String: String], naming: String, _ step: DemoStep) async throws -> String {
        // A server listens for its probes while it waits for its database; the fleet's own has these ports.
        let environment = environment.merging(["HTTP_PORT": "0", "ADMIN_PORT": "0"]) { $1 }
        let outcome = try await ChildProcess.run(
            settings.ledgerExecutable, ["serve"], environment: environment, limit: Self.startLimit)
        guard outcome.exitCode == Self.configurationRefused, let line = Self.line(in: outcome.output, naming: naming) else {
            throw DemoFailure(
                step: step.title, expected: "exit \(Self.configurationRefused) and a line naming \(naming)", got: Self.got(outcome))
        }
        return "exit \(Self.configurationRefused), \(line)"
    }

    private static func got(_ outcome: ChildProcess.Outcome) -> String {
        let code = outcome.exitCode.map { "exit \($0)" } ?? "killed"
        return "\(code), \(outcome.lastLine ?? "nothing printed")"
    }

    private static func line(in output: String, naming name: String) -> String? {
        output.split(whereSeparator: \.isNewline).last { $0.contains(name) }.map(String.init)
    }
}
