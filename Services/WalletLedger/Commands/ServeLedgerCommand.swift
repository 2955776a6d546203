import ArgumentParser
import FoundationEssentials
import Postgres
import ServiceRuntime

/// `serve`: looks at the process's own variables before anything else, so that a violation of isolation is named first.
struct ServeLedgerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Serve until SIGTERM or SIGINT.",
        discussion: "Exit codes: 0 drained, 1 failed, 3 something needed cannot be reached, 64 wrong usage or configuration.")

    func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        try VariableCheck.run(environment).exit()
        try await WalletLedger.serve(environment: environment).exit()
    }
}

/// The part of database isolation that needs no database.
enum VariableCheck {
    static func run(_ environment: [String: String]) -> ProcessExit {
        let findings = DatabaseIsolation.findings(environment: environment, service: WalletLedger.name)
        guard !findings.isEmpty else { return .success }
        let mode = environment["DATABASE_ISOLATION_MODE"].flatMap(DatabaseIsolation.Mode.init(rawValue:)) ?? .strict
        StandardError.write(
            line: "\(WalletLedger.name): DATABASE_ISOLATION_MODE=\(mode.rawValue): \(findings.map(\.description).joined(separator: "; "))")
        return mode == .warn ? .success : .usage
    }
}
