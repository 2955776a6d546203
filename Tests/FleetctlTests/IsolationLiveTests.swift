import Fleetctl
import Postgres
import ServiceRuntime
import TestSupport
import Testing

/// On a server of its own: what it grants would be a finding for every other suite.
@Suite("Isolation: what the servers say", .serialized)
struct IsolationLiveTests {
    private static let server = Task { try await PostgresServer.startSeparate() }

    private func report(_ lines: [String]) async throws -> IsolationReport {
        let check = IsolationCheck(EnvironmentReader.overview(lines.joined(separator: "\n"), place: "fleet.env"))
        #expect(check.findings.isEmpty)
        let report = IsolationReport(check, live: await LiveIsolationCheck.run(check.targets))
        #expect(!report.text.contains(TestDatabase.rolePassword) && !report.json.contains(TestDatabase.rolePassword))
        return report
    }

    private func lines(_ database: TestDatabase, _ prefix: String) -> [String] {
        [
            "\(prefix)_OWNER_URL=\(database.ownerURL)", "\(prefix)_SERVING_URL=\(database.servingURL)",
            "\(prefix)_RELAY_URL=\(database.relayURL)",
        ]
    }

    @Test("a role that may connect to another service's database is named, and no longer once that is revoked")
    func connect() async throws {
        let server = try await Self.server.value
        let ledger = try await server.makeDatabase()
        let identity = try await server.makeDatabase(service: "identity")
        let both = lines(ledger, "WALLET_LEDGER") + lines(identity, "IDENTITY")

        // A template of the same service lies beside each database and is closed to the other as well.
        #expect(try await report(both).text.hasSuffix("no violation; 6 processes, 6 of 6 known URLs connected"))

        try await server.execute(["GRANT CONNECT ON DATABASE \(identity.name) TO \(ledger.roles.serving)"])
        let violated = try await report(both)
        #expect(
            summaries(violated.findings) == ["wallet-ledger connected_elsewhere identity", "wallet-ledger may_connect_elsewhere identity"])
        #expect(violated.findings.allSatisfy { $0.detail.contains("role wallet_ledger ") && $0.detail.contains(identity.name) })
        #expect(violated.exit == .failure)

        try await server.execute(["REVOKE CONNECT ON DATABASE \(identity.name) FROM \(ledger.roles.serving)"])
        let revoked = try await report(both)
        #expect(revoked.findings.isEmpty)
        #expect(revoked.exit == .success)
    }

    @Test("a database of another service and a role that owns tables are named by the database itself")
    func stamp() async throws {
        let server = try await Self.server.value
        let ledger = try await server.makeDatabase()
        let check = IsolationCheck([
            FleetProcess(service: "identity", place: "test", variables: ["IDENTITY_DATABASE_URL": FleetVariable(ledger.servingURL)]),
            FleetProcess(service: "wallet-ledger", place: "test", variables: ["LEDGER_DATABASE_URL": FleetVariable(ledger.ownerURL)]),
        ])
        let live = await LiveIsolationCheck.run(check.targets)
        let names = summaries(live.findings)
        #expect(names.contains("identity stamp_foreign wallet-ledger"))
        #expect(names.contains("wallet-ledger owns_table -"))
    }

    @Test("what only an administrator can close is named, and is no reason not to serve")
    func administrators() async throws {
        let server = try await Self.server.value
        let ledger = try await server.makeDatabase()
        #expect(try await report(lines(ledger, "WALLET_LEDGER")).findings.isEmpty)
        try await server.execute(
            [
                "GRANT CONNECT ON DATABASE template1 TO wallet_ledger", "GRANT EXECUTE ON FUNCTION lo_create(oid) TO wallet_ledger_relay",
                "GRANT TEMPORARY ON DATABASE \(ledger.name) TO wallet_ledger_relay",
            ], database: ledger.name)
        let open = try await report(lines(ledger, "WALLET_LEDGER"))
        #expect(
            summaries(open.findings) == [
                "wallet-ledger may_connect_to_maintenance_database -", "wallet-ledger may_create_temporary_tables -",
                "wallet-ledger may_use_large_objects -",
            ])
        #expect(open.text.contains("REVOKE CONNECT ON DATABASE template1 FROM PUBLIC"))
        #expect(open.text.contains("REVOKE EXECUTE ON FUNCTION lo_create(oid) FROM PUBLIC"))
        let connection = try await PostgresConnection.connect(PostgresConfiguration(url: ledger.servingURL))
        let own = try await connection.withSession { session in try DatabaseIsolation(service: "wallet-ledger").findings(session, phase: .serve) }
        await connection.close()
        #expect(own.isEmpty)
        try await server.execute(["REVOKE CONNECT ON DATABASE template1 FROM wallet_ledger"])
    }

    @Test("a server that does not answer leaves the check open: exit 3, and 1 when there are violations as well")
    func unreachable() async throws {
        let url = "postgres://wallet_ledger:\(TestDatabase.rolePassword)@127.0.0.1:\(try FreePort.any())/wallet_ledger"
        let report = try await report(["LEDGER_DATABASE_URL=\(url)"])
        #expect(report.exit == .unreachable)
        #expect(report.unreachable.map(\.service) == ["wallet-ledger"])
        let broken = IsolationCheck(EnvironmentReader.process(["LEDGER_DATABASE_URL": url, "PGHOST": "x"], service: nil))
        #expect(IsolationReport(broken, live: await LiveIsolationCheck.run(broken.targets)).exit == .failure)
    }

    @Test("JSON holds what was checked and each finding, with null where there is no other service")
    func json() throws {
        let check = IsolationCheck(
            EnvironmentReader.process(["LEDGER_DATABASE_URL": "postgres://l:s3cret@db/x", "PGHOST": "y"], service: nil))
        #expect(
            IsolationReport(check, live: nil).json == """
                {"checked":[{"service":"wallet-ledger","place":"environment","kind":"serve","database":"l@db:5432/x"}],\
                "findings":[{"code":"connection_variable","service":"wallet-ledger","other":null,\
                "detail":"environment: PGHOST is set"}],"unreachable":[]}
                """)
    }
}
