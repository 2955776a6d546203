package import Postgres

/// A database of one suite, on a private server.
package struct TestDatabase: Sendable {
    package let server: PostgresServer
    package let name: String
    package let service: String

    /// Known to the tests only; the server takes connections from this machine alone.
    package static let rolePassword = "local-test-only"

    package var ownerURL: String { url(user: roles.owner) }
    package var servingURL: String { url(user: roles.serving) }
    package var relayURL: String { url(user: roles.relay) }
    package var superuserURL: String { server.url(database: name) }
    package var roles: ServiceRoles { ServiceRoles(service: service) }

    private func url(user: String) -> String { server.url(database: name, user: user, password: Self.rolePassword) }
}

extension TestDatabase {
    /// Ends the service's connections every few milliseconds while `body` runs, at whatever step they are.
    package func whileConnectionsEnd<Value>(every pause: Duration = .milliseconds(2), _ body: () async throws -> Value) async throws -> Value {
        let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '\(name)' AND usename = '\(roles.serving)'"
        let ending = Task {
            // Until it is cancelled.
            _ = try await eventually(within: .seconds(3_600), every: pause) {
                try await server.execute([end])
                return false
            }
        }
        defer { ending.cancel() }
        let value = try await body()
        ending.cancel()
        _ = await ending.result
        return value
    }
}

extension PostgresServer {
    /// Makes a database for one suite: stamped for the service, migrated, owned by its owner role. The migrated state is kept as a
    /// template, so that only the first of its kind costs a migration.
    package func makeDatabase(service: String = "wallet-ledger", migrations: [MigrationFolder] = []) async throws -> TestDatabase {
        try await templates.makeDatabase(server: self, service: service, migrations: migrations)
    }
}

/// Makes databases one at a time: CREATE DATABASE from one template doesn't run twice at once anyway.
actor TemplateCache {
    private var templates: [String: String] = [:]
    private var servicesWithRoles: Set<String> = []
    private var count = 0
    private var last: Task<Void, Never>?

    func makeDatabase(server: PostgresServer, service: String, migrations: [MigrationFolder]) async throws -> TestDatabase {
        let before = last
        let work = Task {
            await before?.value
            return try await self.make(server: server, service: service, migrations: migrations)
        }
        last = Task { _ = try? await work.value }
        return try await work.value
    }

    private func make(server: PostgresServer, service: String, migrations: [MigrationFolder]) async throws -> TestDatabase {
        let roles = ServiceRoles(service: service)
        if !servicesWithRoles.contains(service) {
            try await server.execute(
                roles.all.map { "CREATE ROLE \"\($0)\" LOGIN PASSWORD '\(TestDatabase.rolePassword)'" })
            servicesWithRoles.insert(service)
        }
        let key = ([service] + migrations.flatMap { [$0.namespace, $0.path] }).joined(separator: "\n")
        if templates[key] == nil {
            let template = try await create(server: server, service: service, template: "template0")
            try await prepare(template, migrations: migrations)
            templates[key] = template.name
        }
        let database = try await create(server: server, service: service, template: templates[key] ?? "template0")
        // Comment and grants belong to the database and are not copied from a template.
        try await prepare(database, migrations: [])
        return database
    }

    private func create(server: PostgresServer, service: String, template: String) async throws -> TestDatabase {
        count += 1
        let database = TestDatabase(server: server, name: "florin_test_\(count)", service: service)
        try await server.execute([
            "CREATE DATABASE \"\(database.name)\" TEMPLATE \"\(template)\" OWNER \"\(database.roles.owner)\""
        ])
        // What an administrator closes, as k8s/README.md says; a copy has it from its template.
        if template == "template0" {
            try await server.execute(["REVOKE CONNECT ON DATABASE postgres, template1 FROM PUBLIC"])
            try await server.execute(
                ["REVOKE EXECUTE ON FUNCTION lo_creat(integer), lo_create(oid), lo_from_bytea(oid, bytea) FROM PUBLIC"], database: database.name)
        }
        return database
    }

    private func prepare(_ database: TestDatabase, migrations: [MigrationFolder]) async throws {
        let owner = try await PostgresConnection.connect(PostgresConfiguration(url: database.ownerURL))
        let migrator = migrations.isEmpty ? nil : try Migrator(folders: migrations)
        try await owner.withSession(within: .perStatement(.seconds(300))) { session in
            try DatabaseIsolation(service: database.service).stamp(session)
            _ = try migrator?.migrate(session)
        }
        await owner.close()
    }
}
