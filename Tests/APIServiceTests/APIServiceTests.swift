import APIService
import Foundation
import Logging
import Observability
import RequestSigning
import ServiceDatabase
import ServiceRuntime
import TestSupport
import Testing

@Suite("What services with an API and a database have in common")
struct APIServiceTests {
    private let folder: TemporaryFolder
    private let environment: [String: String]

    init() throws {
        folder = try TemporaryFolder("api-service")
        let credentials = try CallerCredentials(
            callee: ExampleService.name, pairs: [.init(caller: "api-gateway", callee: ExampleService.name)], folder: folder.path)
        try FileManager.default.createDirectory(atPath: "\(folder.path)/migrations/identity", withIntermediateDirectories: true)
        try Data("-- serves-from: 0001\nSELECT 1;".utf8).write(to: URL(fileURLWithPath: "\(folder.path)/migrations/identity/0001_one.sql"))
        // Nothing listens there: composing asks nobody.
        environment = credentials.environment(port: 0).merging([
            "IDENTITY_DATABASE_URL": "postgres://identity:hunter2@127.0.0.1:1/identity", "MIGRATIONS_DIRECTORY": "\(folder.path)/migrations",
        ]) { $1 }
    }

    private func compose(_ changes: [String: String] = [:]) async throws -> ComposedProcess {
        let settings = try ExampleService.Settings.load(environment: environment.merging(changes) { $1 })
        let log = try ServiceLog(of: ExampleService.name)
        let context = ProcessContext(
            service: ExampleService.name, settings: settings.process, logger: log.logger(level: .debug), metrics: PrometheusRegistry())
        return try await ExampleService.compose(settings.service, context)
    }

    private func types(_ services: [any Sendable]) -> [String] { services.map { "\(type(of: $0))" } }

    @Test("its own work begins before the API and is drained after it, on a database that outlives both")
    func order() async throws {
        let process = try await compose()
        #expect(types(process.services).suffix(2) == ["DatabaseProbe", "PostgresPool"])
        #expect(types(process.serving) == ["ClockWatch", "Worker", "APIServer"])
        #expect(process.prerequisites.map(\.name) == ["database", "elsewhere"])
        #expect(process.healthChecks.map(\.name).starts(with: ["database", "worker", "clock"]))
    }

    @Test(
        "what can't be used is named before anything is connected to, without a password",
        arguments: [
            ("INTERNAL_AUTH_KEYS_FILE", "/nowhere"), ("MIGRATIONS_DIRECTORY", "/nowhere"),
            ("IDENTITY_DATABASE_URL", "postgres://identity:hunter2@127.0.0.1:70000/identity"), ("TOKEN_JWKS", "/nowhere"),
        ])
    func settings(_ key: String, _ value: String) async throws {
        let error = await #expect(throws: InvalidConfiguration.self) { try await compose([key: value]) }
        #expect("\(try #require(error))".hasPrefix("\(key): ") && !"\(String(describing: error))".contains("hunter2"))
    }
}
