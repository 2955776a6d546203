package import Observability
package import Postgres
package import ServiceRuntime

/// Which migrations make a service's database, and by which settings its processes find it.
package struct DatabaseSchema: Sendable {
    package let service: String
    /// The folders of `migrations/shared` that come before the service's own.
    private let shared: [String]
    private let hasOwn: Bool

    package static let isolation = Setting<DatabaseIsolation.Mode>.choice(
        "DATABASE_ISOLATION_MODE", "What a violation of database isolation causes.", default: .strict
    ).refusedInProduction { $0 == .warn }
    package static let migrations = Setting<String>.path(
        "MIGRATIONS_DIRECTORY", "Folder of the migrations for this executable.", default: "/app/migrations")

    package init(service: String, shared: [String]) {
        self.init(service: service, shared: shared, hasOwn: true)
    }

    private init(service: String, shared: [String], hasOwn: Bool) {
        self.service = service
        self.shared = shared
        self.hasOwn = hasOwn
    }

    /// For a process that works on one shared part of another service's database: the relay on its outbox.
    package static func part(_ name: String, of service: String) -> DatabaseSchema {
        DatabaseSchema(service: service, shared: [name], hasOwn: false)
    }

    /// The address of the service's own database.
    package var url: Setting<Secret<String>> { Self.url(variable, "The database of \(service), as the role of this process.") }

    package static func url(_ key: String, _ summary: String) -> Setting<Secret<String>> {
        .secret(key, summary, expected: "an address beginning with postgres:// or postgresql://") {
            $0.hasPrefix("postgres://") || $0.hasPrefix("postgresql://")
        }
    }

    package var declared: [any SettingDeclaration] { [url, Self.isolation, Self.migrations] }

    package func database(_ values: SettingValues) -> ServiceDatabase { database(values, url: values[url]) }

    package func database(_ values: SettingValues, url: Secret<String>) -> ServiceDatabase {
        ServiceDatabase(
            service: service, variable: variable, url: url, mode: values[Self.isolation], environment: values[FlorinEnvironment.setting],
            phase: hasOwn ? .serve : .relay, folders: folders(in: values[Self.migrations]))
    }

    /// In the order in which they are applied.
    package func folders(in directory: String) -> [MigrationFolder] {
        shared.map { MigrationFolder(namespace: $0, path: "\(directory)/shared/\($0)") }
            + (hasOwn ? [MigrationFolder(namespace: service, path: "\(directory)/\(service)")] : [])
    }

    package var variable: String {
        guard let variable = DatabaseVariables.fleet.own[service] else { preconditionFailure("\(service) has no database variable") }
        return variable
    }
}
