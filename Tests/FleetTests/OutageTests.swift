import Contracts
import Foundation
import Postgres
import ServiceClient
import TestSupport
import Testing

@Suite("A ledger whose database goes away, and one that is told to end")
struct OutageTests {
    @Test("without Postgres /readyz says 503 and /livez 200; with it again requests succeed and no posting is missing")
    func readiness() async throws {
        try await LedgerFleet.with(replicas: 1) { fleet in
            try fleet.replicas[0].start()
            try await fleet.ready(0)
            let wallets = try await fleet.openWallets(2, funds: 100)
            let (client, token) = (try fleet.client("mobile-bff", replica: 0), try await fleet.userToken())
            func transfer() async throws -> Int {
                try await client.send(LedgerFleet.transfer(from: wallets[0], to: wallets[1], key: UUID().uuidString, token: token)).status
            }
            #expect(try await transfer() == 201)

            try fleet.server.stop(.immediate)
            try await fleet.wait(0, "/readyz", for: 503)
            #expect(try await fleet.status(0, "/livez") == 200)
            try fleet.server.start()
            try await fleet.wait(0, "/readyz", for: 200)
            #expect(try await transfer() == 201)
            #expect(try await fleet.number("SELECT count(*) FROM transfers WHERE kind = 1") == 2)
            #expect(try fleet.verify().code == 0)

            try await fleet.server.execute(
                [
                    "SET session_replication_role = replica",
                    "UPDATE wallets SET balance = balance + 1 WHERE id = (SELECT source_wallet_id FROM transfers WHERE kind = 1 LIMIT 1)",
                ], database: fleet.database.name)
            let altered = try fleet.verify()
            #expect(altered.code == 1 && altered.output.contains(wallets[0]), "\(altered.output)")
        }
    }

    @Test("SIGTERM while a transfer waits for a lock: it is answered, then the process ends with 0")
    func drain() async throws {
        try await LedgerFleet.with(replicas: 1) { fleet in
            try fleet.replicas[0].start()
            try await fleet.ready(0)
            let wallets = try await fleet.openWallets(2, funds: 100)
            let (client, token) = (try fleet.client("mobile-bff", replica: 0), try await fleet.userToken())
            // The lock is held for less than the ledger waits for it.
            async let blocker: Void = fleet.server.execute(
                ["BEGIN", "SELECT FROM wallets WHERE NOT is_world FOR UPDATE", "SELECT pg_sleep(1.5)", "COMMIT"], database: fleet.database.name)
            try await appears("wait_event = 'PgSleep'", fleet)
            async let answer = client.send(LedgerFleet.transfer(from: wallets[0], to: wallets[1], key: "drained", token: token))
            try await appears("wait_event_type = 'Lock' AND application_name = 'wallet-ledger'", fleet)
            fleet.replicas[0].signal(SIGTERM)
            let status = try await answer.status
            try await blocker
            #expect(status == 201)
            #expect(fleet.replicas[0].wait() == 0)
            #expect(try await fleet.number("SELECT count(*) FROM transfers WHERE kind = 1") == 1)
        }
    }

    /// Waits until some session of the server is in the given state.
    private func appears(_ condition: String, _ fleet: LedgerFleet) async throws {
        for _ in 0..<200 {
            if try await fleet.number("SELECT count(*) FROM pg_stat_activity WHERE \(condition)") > 0 { return }
        }
        Issue.record("no session with \(condition)")
    }
}
