import APIService
import ArgumentParser
import FoundationEssentials
import Postgres
import ServiceDatabase
import ServiceRuntime

/// `verify`: re-derives every balance from the entries, and names what does not fit.
struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Re-derive every balance, key and event from the entries, in one snapshot and without locks.",
        discussion: "Exit codes: 0 clean, 1 something does not fit, 3 the database cannot be reached, 64 wrong usage.")

    @Flag(help: "Print findings as JSON, one object a line.")
    var json = false

    func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        let json = json
        try await WalletLedger.perform(environment: environment) { settings, context in
            let database = try settings.database.configuration(as: "wallet-ledger verify")
            let report = try await ServiceDatabase.naming(database) {
                try await settings.database.check(database, context.logger)
                return try await settings.database.withSession(database, context.logger, within: .whileServerLives()) { session in
                    try VerifyLedger().run(session) { line in StandardError.write(line: line) }
                }
            }
            for finding in report.findings { print(json ? finding.json : finding.description) }
            if !json { print(report.summary) }
            return report.findings.isEmpty ? .success : .failure
        }.exit()
    }
}
