import Foundation
import Logging
import Postgres
import ServiceDatabase
import ServiceRuntime
import TestSupport
import Testing

/// The databases of all services on a server of their own, made by nothing but the statements of `k8s/README.md` and the services' migrations.
struct DocumentedDatabases: Sendable {
    struct UnreadablePage: Error {}

    /// A login role of a service, and what it is for.
    struct Role: Sendable, CustomTestStringConvertible {
        let schema: DatabaseSchema
        let name: String
        var testDescription: String { name }
    }

    static let schemas = [
        DatabaseSchema(service: "wallet-ledger", shared: ["outbox"]), DatabaseSchema(service: "ops-risk", shared: ["outbox", "consumption"]),
        DatabaseSchema(service: "identity", shared: ["idempotency", "outbox"]),
        DatabaseSchema(service: "notification", shared: ["consumption", "workqueue"]),
    ]

    /// All that serve: the owners' only migrate, and without an outbox there is no relay.
    static let roles = schemas.flatMap { schema in
        let roles = ServiceRoles(service: schema.service)
        let hasOutbox = schema.folders(in: "migrations").contains { $0.path.hasSuffix("/outbox") }
        return [Role(schema: schema, name: roles.serving)] + (hasOutbox ? [Role(schema: schema, name: roles.relay)] : [])
    }

    /// What an administrator was to run before TEMPORARY and the rest was thought of.
    static let formerPage = [
        ServiceRoles(service: "wallet-ledger").all.map { "CREATE ROLE \($0) LOGIN PASSWORD '…'" }
            + ["CREATE DATABASE wallet_ledger OWNER wallet_ledger_owner"], [],
    ]

    /// The page's blocks of SQL, each its statements: of the database `postgres`, then of the new one.
    static func page() throws -> [[String]] {
        let text = try String(contentsOfFile: RepositoryRoot.path("k8s/README.md"), encoding: .utf8)
        let blocks = text.components(separatedBy: "```sql\n").dropFirst().compactMap { $0.components(separatedBy: "\n```").first }
        guard blocks.count == 2 else { throw UnreadablePage() }
        return blocks.map { block in block.components(separatedBy: ";").filter { !$0.allSatisfy(\.isWhitespace) } }
    }

    let server: PostgresServer

    /// Makes the databases of all services, and migrates none.
    init(by page: [[String]], on server: PostgresServer) async throws {
        self.server = server
        for schema in Self.schemas {
            let database = Self.name(of: schema)
            let blocks = page.map { $0.map { Self.adapted($0, to: database) } }
            try await server.execute(blocks[0])
            try await server.execute(blocks[1], database: database)
        }
    }

    /// As the page says today, migrated.
    static func migrated(on server: PostgresServer) async throws -> DocumentedDatabases {
        let databases = try await DocumentedDatabases(by: page(), on: server)
        for schema in schemas { _ = try await databases.migrate(schema) }
        return databases
    }

    private static func adapted(_ statement: String, to database: String) -> String {
        statement.replacing("wallet_ledger", with: database).replacing("'…'", with: "'\(TestDatabase.rolePassword)'")
    }

    static func name(of schema: DatabaseSchema) -> String { ServiceRoles(service: schema.service).serving }

    func url(_ role: Role) -> String { url(role.name, database: Self.name(of: role.schema)) }

    func url(_ user: String, database: String) -> String {
        server.url(database: database, user: user, password: TestDatabase.rolePassword)
    }

    func execute(_ statements: [String], as schema: DatabaseSchema) async throws {
        try await server.execute(statements, database: Self.name(of: schema))
    }

    /// As `migrate` of the service does it.
    @discardableResult
    func migrate(_ schema: DatabaseSchema) async throws -> [Migration] {
        let owner = ServiceRoles(service: schema.service).owner
        return try await database(url(owner, database: Self.name(of: schema)), of: schema).migrate(as: "test", logger)
    }

    /// As the start of a process of that role does it.
    func check(_ role: Role) async throws {
        let isRelay = role.name == ServiceRoles(service: role.schema.service).relay
        let schema: DatabaseSchema = isRelay ? .part("outbox", of: role.schema.service) : role.schema
        let database = try database(url(role), of: schema)
        try await database.check(database.configuration(as: "test"), logger)
    }

    private func database(_ url: String, of schema: DatabaseSchema) throws -> ServiceDatabase {
        let environment = [
            schema.variable: url, "DATABASE_ISOLATION_MODE": "strict", "MIGRATIONS_DIRECTORY": RepositoryRoot.path("migrations"),
            "FLORIN_ENVIRONMENT": "local",
        ]
        return schema.database(try SettingsReader(environment: environment).read([FlorinEnvironment.setting] + schema.declared))
    }

    private var logger: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }

    /// Runs a script as one transaction.
    /// - Returns: the error that ended it, nil when it was committed.
    func attempt(_ role: Role, _ script: String) async throws -> PostgresError? {
        try await withSession(url(role)) { session in
            do throws(PostgresError) {
                try session.unsafeScript(script)
                return nil
            } catch {
                return error
            }
        }
    }

    func withSession<Value: Sendable>(_ url: String, _ body: @Sendable (PostgresSession) throws -> Value) async throws -> Value {
        let connection = try await PostgresConnection.connect(PostgresConfiguration(url: url))
        let outcome: Result<Value, any Error>
        do { outcome = .success(try await connection.withSession(body)) } catch { outcome = .failure(error) }
        await connection.close()
        return try outcome.get()
    }
}
