import ServiceRuntime
import Synchronization
import TestSupport
import Testing

@testable import OutboxRelay

@Suite("Relay: its settings")
struct RelaySettingsTests {
    private static let url = "postgres://relay:hunter2@127.0.0.1:1/none"

    private func start(_ environment: [String: String]) async -> (exit: ProcessExit, complaints: [String]) {
        let complaints = Mutex<[String]>([])
        let reportError: @Sendable (String) -> Void = { line in complaints.withLock { $0.append(line) } }
        let exit = await OutboxRelay.perform(environment: environment, reportError: reportError) { _, _ in
            Issue.record("it started")
            return .success
        }
        return (exit, complaints.withLock { $0 })
    }

    @Test(
        "a source that is missing or unknown is what the one line names, whatever databases there are",
        arguments: [
            ([:], " is missing"), (["OUTBOX_SOURCE": ""], " is missing"), (["OPS_RISK_DATABASE_URL": url], " is missing"),
            (["OUTBOX_SOURCE": "nonsense"], "=nonsense is not accepted"),
            (["OUTBOX_SOURCE": "mobile-bff", "MOBILE_BFF_DATABASE_URL": url, "DATABASE_ISOLATION_MODE": "warn"], "=mobile-bff is not accepted"),
        ])
    func source(_ environment: [String: String], _ fault: String) async {
        let (exit, complaints) = await start(environment)
        #expect(exit == .usage)
        #expect(complaints == ["outbox-relay: OUTBOX_SOURCE\(fault): expected identity or wallet-ledger or ops-risk"])
    }

    @Test("of a source that there is the own database alone may be set")
    func databases() async {
        let missing = await start(["OUTBOX_SOURCE": "ops-risk"])
        #expect(missing.exit == .usage && missing.complaints.first?.contains("OPS_RISK_DATABASE_URL is not set") == true)
        let foreign = await start(["OUTBOX_SOURCE": "ops-risk", "OPS_RISK_DATABASE_URL": Self.url, "LEDGER_DATABASE_URL": Self.url])
        #expect(foreign.exit == .usage && foreign.complaints.first?.contains("LEDGER_DATABASE_URL is set, which belongs to wallet-ledger") == true)
        #expect(throws: Never.self) {
            try OutboxRelay.inspect(["OUTBOX_SOURCE": "ops-risk", "OPS_RISK_DATABASE_URL": Self.url]) { line in Issue.record("\(line)") }
        }
    }

    @Test("a relay that would publish as another user than its own refuses to start, and says which one it needs")
    func user() async {
        func run(_ user: String) async -> (exit: ProcessExit, complaints: [String]) {
            await start([
                "OUTBOX_SOURCE": "wallet-ledger", "LEDGER_DATABASE_URL": Self.url, "RABBITMQ_URL": "amqp://\(user):hunter2@127.0.0.1:1",
                "FLORIN_ENVIRONMENT": "local",
            ])
        }
        for user in ["ops-risk-relay", "wallet-ledger", "WALLET-LEDGER-RELAY"] {
            let refused = await run(user)
            #expect(refused.exit == .usage)
            #expect(refused.complaints == ["outbox-relay: RABBITMQ_URL: is of the user \(user); wallet-ledger-relay is needed here"])
        }
    }

    @Test("nothing of a value that may hold a secret is quoted or listed")
    func secrecy() {
        let good = ["OUTBOX_SOURCE": "ops-risk", "OPS_RISK_DATABASE_URL": Self.url, "RABBITMQ_URL": "amqp://u:p@h:5672"]
        #expect(SettingSecrecy.leaks(of: OutboxRelayConfiguration.self, good) == [])
    }
}
