import Foundation
import Postgres
import TestSupport
import Testing

/// Each process of the fleet with a role of the same service that is not its own.
@Suite("A role that is not the process's own", .serialized, .timeLimit(.minutes(3)))
struct WrongRoleTests {
    private static func expectRefusal(
        _ executable: String, _ command: [String], _ environment: [String: String], names expected: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let process = LedgerProcess(executable, environment: environment, adminPort: 0)
        try process.start(command)
        // One that is not refused serves for ever.
        let watchdog = rescue(after: .seconds(20)) { process.signal(SIGKILL) }
        let code = process.wait()
        watchdog.cancel()
        let output = (try? String(contentsOfFile: process.output, encoding: .utf8)) ?? ""
        #expect(code == 64, "\(command) \(output)", sourceLocation: sourceLocation)
        #expect(output.contains("wrong_role: ") && output.contains(expected), "\(output)", sourceLocation: sourceLocation)
        #expect(!output.contains(TestDatabase.rolePassword))
    }

    @Test("wallet-ledger refuses the relay's role, at serve and verify, and migrate any but the owner's")
    func ledger() async throws {
        try await LedgerFleet.with(replicas: 1) { fleet in
            var environment = fleet.replicas[0].environment
            func run(_ command: String, _ url: String, names expected: String) async throws {
                environment["LEDGER_DATABASE_URL"] = url
                try await Self.expectRefusal(LedgerProcess.walletLedger, [command], environment, names: expected)
            }
            try await run("serve", fleet.database.relayURL, names: "wallet_ledger is expected")
            try await run("serve", fleet.database.ownerURL, names: "wallet_ledger is expected")
            try await run("verify", fleet.database.relayURL, names: "wallet_ledger is expected")
            try await run("migrate", fleet.database.servingURL, names: "wallet_ledger_owner is expected")
        }
    }

    @Test("outbox-relay refuses the serving role, in serve and in its commands")
    func relay() async throws {
        try await EventFleet.with { fleet in
            var environment = try fleet.relay().environment
            environment["LEDGER_DATABASE_URL"] = fleet.database.servingURL
            for command in ["serve", "list-dead-letters"] {
                try await Self.expectRefusal(EventFleet.outboxRelay, [command], environment, names: "wallet_ledger_relay is expected")
            }
        }
    }

    @Test("ops-risk refuses the relay's role, in serve and in its commands")
    func opsRisk() async throws {
        try await ConsumerFleet.with { fleet in
            let environment = fleet.environment(settings: ["OPS_RISK_DATABASE_URL": fleet.database.relayURL, "HTTP_PORT": "0", "ADMIN_PORT": "0"])
            for command in ["serve", "list-dead-letters"] {
                try await Self.expectRefusal(ConsumerFleet.opsRisk, [command], environment, names: "ops_risk is expected")
            }
        }
    }
}
