import Postgres
import TestSupport
import Testing

@Suite struct IsolationVariableTests {
    private let isolation = DatabaseIsolation(service: "wallet-ledger")
    private static let variables = DatabaseVariables(
        own: ["wallet-ledger": "LEDGER_DATABASE_URL", "identity": "IDENTITY_DATABASE_URL", "backoffice": "BACKOFFICE_DATABASE_URL"],
        replicas: ["wallet-ledger": "LEDGER_REPLICA_DATABASE_URL"])
    private let own = ["LEDGER_DATABASE_URL": "postgres://u:s3cret@h/d", "PATH": "/bin", "PGDATA": "/x"]

    @Test func `the own variable alone is clean`() {
        #expect(isolation.findings(environment: own, variables: Self.variables).isEmpty)
    }

    @Test(arguments: [
        ("DATABASE_URL", IsolationFinding.Code.genericVariable), ("IDENTITY_DATABASE_URL", .foreignVariable),
        ("BACKOFFICE_DATABASE_URL", .foreignVariable), ("PGHOST", .connectionVariable), ("PGPASSWORD", .connectionVariable),
        ("PGOPTIONS", .connectionVariable), ("PGSERVICE", .connectionVariable), ("PGDATABASE", .connectionVariable),
    ])
    func `each variable that does not belong here is a finding and refused`(name: String, code: IsolationFinding.Code) {
        let findings = isolation.findings(environment: own.merging([name: "postgres://u:s3cret@h/e"]) { $1 }, variables: Self.variables)
        #expect(findings.map(\.code) == [code])
        #expect(findings.allSatisfy { $0.text.contains(name) && !$0.description.contains("s3cret") })
        #expect(throws: IsolationViolation(findings: findings)) { try DatabaseIsolation.Mode.strict.enforce(findings) }
        #expect((try? DatabaseIsolation.Mode.warn.enforce(findings)) == findings)
    }

    @Test func `a replica's variable is its service's and nobody else's`() {
        let replica = ["LEDGER_REPLICA_DATABASE_URL": "postgres://u:s3cret@h/d"]
        #expect(isolation.findings(environment: own.merging(replica) { $1 }, variables: Self.variables).isEmpty)
        let elsewhere = DatabaseIsolation(service: "identity").findings(
            environment: replica.merging(["IDENTITY_DATABASE_URL": "postgres://i:s3cret@h/i"]) { $1 }, variables: Self.variables)
        #expect(elsewhere.map(\.code) == [.foreignVariable] && elsewhere.map(\.other) == ["wallet-ledger"])
        #expect(isolation.findings(environment: replica, variables: Self.variables).map(\.code) == [.ownVariableMissing])
    }

    @Test(arguments: [[:], ["LEDGER_DATABASE_URL": ""]])
    func `a missing or empty own variable is a finding`(environment: [String: String]) {
        #expect(isolation.findings(environment: environment, variables: Self.variables).map(\.code) == [.ownVariableMissing])
    }
}

/// On a server of its own: what it provokes would be a finding for every other suite.
@Suite(.serialized) struct IsolationServerTests {
    private static let server = Task { try await PostgresServer.startSeparate() }

    private func findings(
        _ url: String, service: String = "wallet-ledger", phase: DatabaseIsolation.Phase = .serve
    ) async throws -> [IsolationFinding] {
        let connection = try await PostgresConnection.connect(PostgresConfiguration(url: url))
        defer { Task { await connection.close() } }
        return try await connection.withSession { session in try DatabaseIsolation(service: service).findings(session, phase: phase) }
    }

    @Test func `a stamped database is clean for its three roles and closed to others`() async throws {
        let server = try await Self.server.value
        let ledger = try await server.makeDatabase()
        let identity = try await server.makeDatabase(service: "identity")
        #expect(try await findings(ledger.servingURL).isEmpty)
        #expect(try await findings(ledger.relayURL, phase: .relay).isEmpty)
        #expect(try await findings(ledger.ownerURL, phase: .migrate).isEmpty)
        for user in identity.roles.all {
            let url = server.url(database: ledger.name, user: user, password: TestDatabase.rolePassword)
            let error = await postgresFailure { _ = try await PostgresConnection.connect(PostgresConfiguration(url: url)) }
            #expect(error?.kind == .connectFailed)
        }
    }

    @Test func `another service's stamp and a missing one are found`() async throws {
        let server = try await Self.server.value
        let ledger = try await server.makeDatabase()
        #expect(try await findings(ledger.servingURL, service: "identity").map(\.code).contains(.stampForeign))
        #expect(try await findings(ledger.ownerURL, service: "identity", phase: .migrate).map(\.code).contains(.stampForeign))
        try await server.execute(["DROP TABLE service_identity"], database: ledger.name)
        #expect(try await findings(ledger.servingURL).map(\.code) == [.stampMissing])
        #expect(try await findings(ledger.ownerURL, phase: .migrate).isEmpty)
    }

    @Test func `a stamp is never overwritten`() async throws {
        let ledger = try await Self.server.value.makeDatabase()
        _ = try await Self.server.value.makeDatabase(service: "identity")
        let owner = try await PostgresConnection.connect(PostgresConfiguration(url: ledger.ownerURL))
        try await owner.withSession { session in
            let error = #expect(throws: IsolationViolation.self) { try DatabaseIsolation(service: "identity").stamp(session) }
            #expect(error?.findings.map(\.code) == [.stampForeign])
            try DatabaseIsolation(service: "wallet-ledger").stamp(session)
            #expect(try DatabaseIsolation.stamp(of: session) == "wallet-ledger")
        }
    }

    @Test(arguments: [
        ("SUPERUSER", IsolationFinding.Code.superuser), ("CREATEROLE", .mayCreateRoles), ("CREATEDB", .mayCreateDatabases),
    ])
    func `a role that may too much is found, directly and through a membership`(attribute: String, code: IsolationFinding.Code) async throws {
        let server = try await Self.server.value
        let ledger = try await server.makeDatabase()
        let role = "rogue_\(attribute.lowercased())"
        try await server.execute([
            "CREATE ROLE \(role) LOGIN \(attribute) PASSWORD 'p'", "GRANT CONNECT ON DATABASE \(ledger.name) TO \(role)",
            "CREATE ROLE member_of_\(role) LOGIN PASSWORD 'p' IN ROLE \(role)",
        ])
        for user in [role, "member_of_\(role)"] {
            let url = server.url(database: ledger.name, user: user, password: "p")
            #expect(try await findings(url).map(\.code).contains(code))
        }
    }

    @Test func `a serving role that owns a table is found, the owner's own migrate is not`() async throws {
        let ledger = try await Self.server.value.makeDatabase()
        #expect(try await findings(ledger.ownerURL).map(\.code) == [.wrongRole, .ownsTable])
        #expect(try await findings(ledger.ownerURL, phase: .migrate).isEmpty)
    }

    @Test func `a role that may connect to another service's database is found`() async throws {
        let server = try await Self.server.value
        let ledger = try await server.makeDatabase()
        let identity = try await server.makeDatabase(service: "identity")
        try await server.execute(["GRANT CONNECT ON DATABASE \(identity.name) TO \(ledger.roles.serving)"])
        let found = try await findings(ledger.servingURL)
        #expect(found.map(\.code) == [.mayConnectElsewhere])
        #expect(found.first?.text.contains(identity.name) == true)
        try await server.execute(["REVOKE CONNECT ON DATABASE \(identity.name) FROM \(ledger.roles.serving)"])
        #expect(try await findings(ledger.servingURL).isEmpty)
    }
}
