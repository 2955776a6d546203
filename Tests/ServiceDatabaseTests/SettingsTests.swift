import Postgres
import ServiceDatabase
import ServiceRuntime
import Synchronization
import TestSupport
import Testing

@Suite("A service's database: settings")
struct SettingsTests {
    /// Some service with a database.
    private enum Example: DatabaseService {
        struct Settings: DatabaseServiceConfiguration {
            static let schema = DatabaseSchema(service: Example.name, shared: [])
            static let declared = schema.declared
            static let defaultAdminPort = 9_101
            let database: ServiceDatabase

            init(_ values: SettingValues) { database = Self.schema.database(values) }
        }

        static let name = "identity"

        static func compose(_: Settings, _: ProcessContext) async throws -> ComposedProcess {
            throw UnreachableDependency("nothing", reason: "it is an example")
        }
    }

    private static let own = "IDENTITY_DATABASE_URL"
    private static let url = "postgres://identity:hunter2@localhost/identity"

    private func inspect(_ environment: [String: String]) throws(InvalidConfiguration) -> [String] {
        let lines = Mutex<[String]>([])
        try Example.inspect(environment) { line in lines.withLock { $0.append(line) } }
        return lines.withLock { $0 }
    }

    @Test(
        "a process with its own variable missing, or another's or a generic one present, does not start",
        arguments: [
            ([:], "own_variable_missing: IDENTITY_DATABASE_URL is not set"),
            ([own: ""], "own_variable_missing: IDENTITY_DATABASE_URL is not set"),
            ([own: url, "DATABASE_URL": url], "generic_variable: DATABASE_URL is set"),
            ([own: url, "LEDGER_DATABASE_URL": url], "foreign_variable: LEDGER_DATABASE_URL is set, which belongs to wallet-ledger"),
            ([own: url, "PGHOST": "hunter2"], "connection_variable: PGHOST is set"),
        ])
    func variables(_ environment: [String: String], _ expected: String) throws {
        let error = try #require(throws: InvalidConfiguration.self) { try inspect(environment) }
        #expect("\(error)".hasPrefix("DATABASE_ISOLATION_MODE=strict: ") && "\(error)".contains(expected) && !"\(error)".contains("hunter2"))
        // Asked to warn it says the same and goes on.
        let lines = try inspect(environment.merging(["DATABASE_ISOLATION_MODE": "warn"]) { $1 })
        #expect(lines.count == 1 && lines[0].hasPrefix("identity: DATABASE_ISOLATION_MODE=warn: ") && lines[0].contains(expected))
    }

    @Test("its own variable alone is right; a mode that there is not is no leave to start")
    func right() throws {
        #expect(try inspect([Self.own: Self.url]).isEmpty)
        #expect(throws: InvalidConfiguration.self) { try inspect(["DATABASE_ISOLATION_MODE": "off"]) }
    }

    @Test("warn is for local and staging only, and an address is never shown")
    func production() throws {
        func load(_ environment: String, url: String) throws -> ServiceDatabase {
            try Example.Settings.load(
                environment: [Self.own: url, "DATABASE_ISOLATION_MODE": "warn", "FLORIN_ENVIRONMENT": environment]
            ).service.database
        }
        _ = try load("staging", url: Self.url)
        let refused = try #require(throws: InvalidConfiguration.self) { try load("production", url: Self.url) }
        #expect("\(refused)" == "DATABASE_ISOLATION_MODE=warn is refused in production")
        let wrong = try #require(throws: InvalidConfiguration.self) { try load("local", url: "mysql://identity:hunter2@localhost") }
        #expect("\(wrong)".hasPrefix("IDENTITY_DATABASE_URL is not accepted") && !"\(wrong)".contains("hunter2"))
        let odd = try load("local", url: "postgres://identity:hunter2@localhost/identity?no_such_parameter=1")
        let unusable = try #require(throws: InvalidConfiguration.self) { try odd.configuration(as: "test") }
        #expect("\(unusable)".hasPrefix("IDENTITY_DATABASE_URL: can't be used: ") && !"\(unusable)".contains("hunter2"), "\(unusable)")
    }

    @Test("shared migrations come before the service's own; a part has no others")
    func folders() {
        let whole = DatabaseSchema(service: "wallet-ledger", shared: ["outbox", "consumption"])
        #expect(
            whole.folders(in: "/app/migrations").map(\.path) == [
                "/app/migrations/shared/outbox", "/app/migrations/shared/consumption", "/app/migrations/wallet-ledger",
            ])
        #expect(whole.folders(in: "/m").map(\.namespace) == ["outbox", "consumption", "wallet-ledger"])
        let part = DatabaseSchema.part("outbox", of: "ops-risk")
        #expect(part.folders(in: "/m").map(\.path) == ["/m/shared/outbox"])
        #expect(part.variable == "OPS_RISK_DATABASE_URL" && part.url.isSecret)
        #expect(part.declared.map(\.key) == ["OPS_RISK_DATABASE_URL", "DATABASE_ISOLATION_MODE", "MIGRATIONS_DIRECTORY"])
    }
}
