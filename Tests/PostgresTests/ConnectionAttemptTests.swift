import Postgres
import TestSupport
import Testing

/// On a server of its own: it makes and grants what other suites would find.
@Suite(.serialized) struct ConnectionAttemptTests {
    private static let server = Task { try await PostgresServer.startSeparate() }
    private static let limit = Duration.seconds(10)

    @Test func `a role is let in to its own database and refused at another's, with the server's reason`() async throws {
        let server = try await Self.server.value
        let ledger = try PostgresConfiguration(url: try await server.makeDatabase().servingURL)
        let identity = try PostgresConfiguration(url: try await server.makeDatabase(service: "identity").servingURL)
        #expect(await ledger.attempt(within: Self.limit) == .accepted)
        let foreign = identity.connecting(asRoleOf: ledger)
        #expect(foreign.description == "\(ledger.user)@127.0.0.1:\(server.port)/\(identity.database)")
        let answer = await foreign.attempt(within: Self.limit)
        #expect(answer == .refused(.insufficientPrivilege))
        #expect(answer.isRefusalForGood)
    }

    @Test(arguments: [
        ("no_such_role:p", "postgres", "28P01"), ("wallet_ledger:wrong", "postgres", "28P01"), ("wallet_ledger", "postgres", "28P01"),
        ("postgres", "no_such_database", "3D000"),
    ])
    func `an unknown role, a wrong or missing password and an unknown database are refusals for good`(
        credentials: String, database: String, state: String
    ) async throws {
        let server = try await Self.server.value
        _ = try await server.makeDatabase()
        let configuration = try PostgresConfiguration(url: "postgres://\(credentials)@127.0.0.1:\(server.port)/\(database)")
        let answer = await configuration.attempt(within: Self.limit)
        #expect(answer == .refused(SQLState(rawValue: state)))
        #expect(answer.isRefusalForGood)
    }

    @Test func `a full database refuses, but not for good`() async throws {
        let server = try await Self.server.value
        let ledger = try await server.makeDatabase()
        try await server.execute(["ALTER DATABASE \(ledger.name) CONNECTION LIMIT 0"])
        let answer = try await PostgresConfiguration(url: ledger.servingURL).attempt(within: Self.limit)
        #expect(answer == .refused(.tooManyConnections))
        #expect(!answer.isRefusalForGood)
    }

    @Test func `where nobody listens nobody refuses`() async throws {
        let configuration = try PostgresConfiguration(url: "postgres://u:p@127.0.0.1:\(try FreePort.any())/d")
        #expect(await configuration.attempt(within: Self.limit) == .unreachable)
        #expect(!ConnectionAttempt.unreachable.isRefusalForGood)
    }

    @Test func `through a pooler, which lets everybody in first, the server's answer counts`() async throws {
        let server = try await Self.server.value
        let pooler = try await PgBouncer.start(before: server)
        let ledger = try await server.makeDatabase()
        let identity = try await server.makeDatabase(service: "identity")
        let own = try PostgresConfiguration(url: pooler.url(ledger.servingURL, server: server))
        let other = try PostgresConfiguration(url: pooler.url(identity.servingURL, server: server))
        #expect(await own.attempt(within: Self.limit) == .accepted)
        #expect(await other.attempt(within: Self.limit) == .accepted)
        #expect(await other.connecting(asRoleOf: own).attempt(within: Self.limit).isRefusalForGood)
        try await server.execute(["GRANT CONNECT ON DATABASE \(identity.name) TO \(ledger.roles.serving)"])
        #expect(await other.connecting(asRoleOf: own).attempt(within: .seconds(30)) == .accepted)
        try await server.execute(["REVOKE CONNECT ON DATABASE \(identity.name) FROM \(ledger.roles.serving)"])
    }
}
