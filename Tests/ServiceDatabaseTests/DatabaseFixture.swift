import Foundation
import Logging
import Observability
import Postgres
import ServiceDatabase
import ServiceRuntime
import TestSupport
import Testing

/// A server of these suites' own, a service's migrations in a folder, and what was logged.
final class DatabaseFixture: Sendable {
    /// Others grant and revoke on theirs, which would be findings here.
    static let server = Task { try await PostgresServer.startSeparate() }

    let database: TestDatabase
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent("florin-schema-\(UUID().uuidString)").path
    let schema: DatabaseSchema
    private let log: FileHandle
    private let output: LogOutput

    /// The database is stamped for the service and empty.
    init() async throws {
        let service = "wallet-ledger"
        database = try await Self.server.value.makeDatabase(service: service)
        schema = DatabaseSchema(service: service, shared: ["outbox"])
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let path = "\(directory)/log"
        _ = FileManager.default.createFile(atPath: path, contents: nil)
        log = try #require(FileHandle(forUpdatingAtPath: path))
        output = LogOutput(fileDescriptor: log.fileDescriptor)
        try write("shared/outbox", "0001_parts.sql", "CREATE TABLE parts (id bigint PRIMARY KEY);")
        try write(service, "0001_things.sql", "CREATE TABLE things (id bigint REFERENCES parts);")
        try write("identity", "0001_users.sql", "CREATE TABLE users (id bigint);")
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    func write(_ folder: String, _ name: String, _ sql: String) throws {
        try FileManager.default.createDirectory(atPath: "\(directory)/\(folder)", withIntermediateDirectories: true)
        try "-- serves-from: 0001\n\(sql)\n".write(toFile: "\(directory)/\(folder)/\(name)", atomically: true, encoding: .utf8)
    }

    var logger: Logger {
        Logger(label: "test") { [output] label in JSONLogHandler(label: label, service: "test", level: .info, output: output) }
    }

    var logged: String {
        get throws { try String(contentsOfFile: "\(directory)/log", encoding: .utf8) }
    }

    /// The database as a process of the service sees it, by its settings.
    func database(
        url: String, mode: DatabaseIsolation.Mode = .strict, of schema: DatabaseSchema? = nil, environment: FlorinEnvironment = .local
    ) throws -> ServiceDatabase {
        let schema = schema ?? self.schema
        let variables = [
            schema.variable: url, "DATABASE_ISOLATION_MODE": mode.rawValue, "MIGRATIONS_DIRECTORY": directory,
            "FLORIN_ENVIRONMENT": environment.rawValue,
        ]
        return schema.database(try SettingsReader(environment: variables).read([FlorinEnvironment.setting] + schema.declared))
    }

    /// What a process does at its start.
    func check(
        url: String, mode: DatabaseIsolation.Mode = .strict, of schema: DatabaseSchema? = nil, environment: FlorinEnvironment = .local
    ) async throws {
        let database = try database(url: url, mode: mode, of: schema, environment: environment)
        try await database.check(database.configuration(as: "test"), logger)
    }

    @discardableResult
    func migrate() async throws -> [String] { try await database(url: database.ownerURL).migrate(as: "test migrate", logger).map(\.file) }
}
