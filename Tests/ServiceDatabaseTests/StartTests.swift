import Observability
import Postgres
import ServiceDatabase
import ServiceRuntime
import TestSupport
import Testing

@Suite("A service's database: the start")
struct StartTests {
    @Test("a process starts on its own database once it is migrated, and not on one that is behind")
    func schema() async throws {
        let fixture = try await DatabaseFixture()
        let behind = await #expect(throws: MigrationError.self) { try await fixture.check(url: fixture.database.servingURL) }
        #expect(behind == .schemaBehind(namespace: "outbox", required: 1, applied: 0))
        #expect(try await fixture.migrate() == ["outbox/0001_parts.sql", "wallet-ledger/0001_things.sql"])
        try await fixture.check(url: fixture.database.servingURL)
        try await fixture.check(url: fixture.database.relayURL, of: .part("outbox", of: "wallet-ledger"))
        try fixture.write("wallet-ledger", "0002_more.sql", "CREATE TABLE more (id bigint);")
        let next = await #expect(throws: MigrationError.self) { try await fixture.check(url: fixture.database.servingURL) }
        #expect(next == .schemaBehind(namespace: "wallet-ledger", required: 2, applied: 1))
        // What is the service's own is none of a relay's business.
        try await fixture.check(url: fixture.database.relayURL, of: .part("outbox", of: "wallet-ledger"))
    }

    @Test("another service's database is refused by the stamp, whatever its schema, and its password is not told")
    func foreignStamp() async throws {
        let fixture = try await DatabaseFixture()
        let identity = DatabaseSchema(service: "identity", shared: [])
        let error = await #expect(throws: InvalidConfiguration.self) {
            try await fixture.check(url: fixture.database.servingURL, of: identity)
        }
        let said = try #require(error).description
        #expect(said.hasPrefix("DATABASE_ISOLATION_MODE: strict refuses to start: ") && said.contains("belongs to wallet-ledger, not to identity"))
        #expect(!said.contains(TestDatabase.rolePassword))
        let migrating = await #expect(throws: InvalidConfiguration.self) {
            _ = try await fixture.database(url: fixture.database.ownerURL, of: identity).migrate(as: "test", fixture.logger)
        }
        #expect(migrating?.description.contains("stamp_foreign") == true)
    }

    @Test("the owner's role and a superuser do not serve")
    func roles() async throws {
        let fixture = try await DatabaseFixture()
        try await fixture.migrate()
        for (url, code) in [(fixture.database.ownerURL, "owns_table"), (fixture.database.superuserURL, "superuser")] {
            let error = await #expect(throws: InvalidConfiguration.self) { try await fixture.check(url: url) }
            #expect(error?.description.contains("\(code): ") == true, "\(String(describing: error))")
        }
    }

    @Test("a role of the same service that is not the process's own is refused by name, and so is a login that is a member of another as well")
    func wrongRole() async throws {
        let fixture = try await DatabaseFixture()
        try await fixture.migrate()
        let roles = fixture.database.roles
        func refusal(_ url: String, of schema: DatabaseSchema? = nil) async -> String {
            await #expect(throws: InvalidConfiguration.self) { try await fixture.check(url: url, of: schema) }?.description ?? ""
        }
        let relay = DatabaseSchema.part("outbox", of: "wallet-ledger")
        let relayed = await refusal(fixture.database.relayURL)
        #expect(relayed.contains("wrong_role: role wallet_ledger_relay is not the process's own; wallet_ledger is expected"), "\(relayed)")
        #expect(await refusal(fixture.database.servingURL, of: relay).contains("; wallet_ledger_relay is expected"))
        #expect(await refusal(fixture.database.ownerURL).contains("; wallet_ledger is expected"))
        let migrating = await #expect(throws: InvalidConfiguration.self) {
            _ = try await fixture.database(url: fixture.database.servingURL).migrate(as: "test", fixture.logger)
        }
        #expect(migrating?.description.contains("; wallet_ledger_owner is expected") == true)

        // A dated login that is a member of the role, as passwords are rotated by; it has the role's rights and no other's.
        let login = "\(fixture.database.name)_2026a"
        let url = fixture.database.server.url(database: fixture.database.name, user: login, password: TestDatabase.rolePassword)
        try await fixture.database.server.execute([
            "CREATE ROLE \(login) LOGIN PASSWORD '\(TestDatabase.rolePassword)' IN ROLE \(roles.serving)"
        ])
        try await fixture.check(url: url)
        #expect(await refusal(url, of: relay).contains("role \(login) is not the process's own; wallet_ledger_relay is expected"))
        try await fixture.database.server.execute(["GRANT \(roles.relay) TO \(login)"])
        #expect(await refusal(url).contains("wrong_role: "))
        try await fixture.database.server.execute([
            "REVOKE \(roles.relay) FROM \(login)", "ALTER ROLE \(login) NOINHERIT",
            "GRANT CONNECT ON DATABASE \(fixture.database.name) TO \(login)",
        ])
        #expect(await refusal(url).contains("wrong_role: "))
        try await fixture.database.server.execute(["REVOKE CONNECT ON DATABASE \(fixture.database.name) FROM \(login)", "DROP ROLE \(login)"])
    }

    @Test(
        "settings of a role or database on which a promise rests are refused by name",
        arguments: [("session_replication_role", "replica"), ("search_path", "elsewhere, public"), ("zero_damaged_pages", "on")])
    func unsafeSettings(_ name: String, _ value: String) async throws {
        let fixture = try await DatabaseFixture()
        try await fixture.migrate()
        let (server, database) = (fixture.database.server, fixture.database.name)
        try await server.execute(["CREATE SCHEMA elsewhere", "GRANT USAGE ON SCHEMA elsewhere TO PUBLIC"], database: database)
        try await fixture.check(url: fixture.database.servingURL)
        try await server.execute(["ALTER ROLE \(fixture.database.roles.serving) IN DATABASE \(database) SET \(name) = \(value)"])
        let error = await #expect(throws: InvalidConfiguration.self) { try await fixture.check(url: fixture.database.servingURL) }
        #expect(error?.description.contains("unsafe_setting: \(name) is ") == true, "\(String(describing: error))")
    }

    @Test(
        "a server that may lose what it has acknowledged is refused in production, and warned of elsewhere", arguments: ["fsync", "full_page_writes"])
    func unsafeServer(_ name: String) async throws {
        let fixture = try await DatabaseFixture()
        try await fixture.migrate()
        try await PostgresServer.withSeparate(settings: [name: "off"]) { server in
            let other = try await server.makeDatabase(
                service: "wallet-ledger", migrations: fixture.schema.folders(in: fixture.directory))
            let error = await #expect(throws: InvalidConfiguration.self) {
                try await fixture.check(url: other.servingURL, environment: .production)
            }
            let finding = "unsafe_setting: \(name) is off: what the server has acknowledged may be lost"
            #expect(error?.description == "LEDGER_DATABASE_URL: is refused in production: \(finding)")
            try await fixture.check(url: other.servingURL)
            #expect(try fixture.logged.contains(finding))
        }
    }

    @Test("in warn mode the same findings are logged, one a line, and the process starts")
    func warn() async throws {
        let fixture = try await DatabaseFixture()
        try await fixture.migrate()
        try await fixture.check(url: fixture.database.ownerURL, mode: .warn)
        let lines = try fixture.logged.split(separator: "\n").filter { $0.contains("database isolation is violated") }
        #expect(lines.count == 2 && lines.allSatisfy { $0.contains("warn") }, "\(lines)")
        #expect(lines.contains { $0.contains("owns_table") } && lines.contains { $0.contains("wrong_role") })
        #expect(try !fixture.logged.contains(TestDatabase.rolePassword))
    }

    @Test("a standby of the service's database is checked by the same rules")
    func replica() async throws {
        let fixture = try await DatabaseFixture()
        try await fixture.migrate()
        let standby = try await PostgresServer.startStandby(of: DatabaseFixture.server.value)
        let url = standby.url(database: fixture.database.name, user: fixture.database.roles.serving, password: TestDatabase.rolePassword)
        let configuration = try ServiceDatabase.configuration(Secret(url), variable: "LEDGER_REPLICA_DATABASE_URL", as: "test")
        try await fixture.database(url: fixture.database.servingURL).check(configuration, fixture.logger)
        // As another service's replica it is refused, and so are writes on it.
        let identity = try fixture.database(url: fixture.database.servingURL, of: DatabaseSchema(service: "identity", shared: []))
        let error = await #expect(throws: InvalidConfiguration.self) { try await identity.check(configuration, fixture.logger) }
        #expect(error?.description.contains("stamp_foreign") == true)
        let owner = standby.url(database: fixture.database.name, user: fixture.database.roles.owner, password: TestDatabase.rolePassword)
        await #expect(throws: PostgresError.self) { _ = try await fixture.database(url: owner).migrate(as: "test", fixture.logger) }
    }

    @Test("a server that does not answer is named, with its address and without the password")
    func unreachable() async throws {
        let fixture = try await DatabaseFixture()
        let port = try FreePort.any()
        let error = await #expect(throws: UnreachableDependency.self) {
            try await fixture.check(url: "postgres://wallet_ledger:hunter2@127.0.0.1:\(port)/wallet_ledger?connect_timeout=2")
        }
        let said = try #require(error).description
        #expect(said.hasPrefix("cannot reach Postgres at 127.0.0.1:\(port): ") && !said.contains("hunter2"), "\(said)")
    }

    @Test("a server that goes away while a command is at work is named as well; what it only refuses is not called away")
    func commandPool() async throws {
        let fixture = try await DatabaseFixture()
        try await fixture.migrate()
        let database = try fixture.database(url: fixture.database.servingURL)
        func run(_ statement: String) async throws {
            try await database.withPool(as: "test", connections: 1, fixture.logger) { pool in
                try await pool.withSession { session in _ = try session.query(PostgresQuery(unsafeSQL: statement)) }
            }
        }
        for statement in ["SELECT pg_terminate_backend(pg_backend_pid())", "DO $$ BEGIN RAISE SQLSTATE '53100'; END $$"] {
            let error = await #expect(throws: UnreachableDependency.self) { try await run(statement) }
            #expect(error?.name == "Postgres at 127.0.0.1:\(fixture.database.server.port)")
        }
        let refused = await #expect(throws: PostgresError.self) { try await run("SELECT 1 / 0") }
        #expect(refused?.sqlState == .divisionByZero)
        let behind = try fixture.database(url: fixture.database.servingURL, of: DatabaseSchema(service: "wallet-ledger", shared: ["nowhere"]))
        await #expect(throws: InvalidConfiguration.self) { try await behind.withPool(as: "test", connections: 1, fixture.logger) { _ in } }
    }
}
