package import Logging
package import Observability
package import Postgres
package import ServiceRuntime

/// A service's own database as one of its processes sees it: where it is, what it must be, and which migrations belong to it.
package struct ServiceDatabase: Sendable {
    /// Whose database it is; the owner's name, also in a relay of its outbox.
    package let service: String
    private let variable: String
    private let url: Secret<String>
    private let mode: DatabaseIsolation.Mode
    private let environment: FlorinEnvironment
    private let phase: DatabaseIsolation.Phase
    private let folders: [MigrationFolder]

    /// - Parameters:
    ///   - variable: The setting that `url` came from, for errors.
    ///   - phase: Of the process when it does not migrate, which decides its role.
    ///   - folders: The migrations that the process was built for, in the order in which they are applied.
    package init(
        service: String, variable: String, url: Secret<String>, mode: DatabaseIsolation.Mode, environment: FlorinEnvironment,
        phase: DatabaseIsolation.Phase, folders: [MigrationFolder]
    ) {
        self.service = service
        self.variable = variable
        self.url = url
        self.mode = mode
        self.environment = environment
        self.phase = phase
        self.folders = folders
    }

    private var isolation: DatabaseIsolation { DatabaseIsolation(service: service) }

    /// - Parameter application: What the server shows as the connection's name.
    /// - Throws: ``InvalidConfiguration`` when the address can't be used.
    package func configuration(as application: String) throws(InvalidConfiguration) -> PostgresConfiguration {
        try Self.configuration(url, variable: variable, as: application)
    }

    /// - Throws: ``InvalidConfiguration`` when the address can't be used.
    package static func configuration(
        _ url: Secret<String>, variable: String, as application: String
    ) throws(InvalidConfiguration) -> PostgresConfiguration {
        do {
            return try PostgresConfiguration(url: url.reveal(), applicationName: application)
        } catch {
            throw InvalidConfiguration(key: variable, "can't be used: \(error)")
        }
    }

    /// - Throws: ``InvalidConfiguration`` when the folders, or the files in them, are not migrations.
    private func migrator() throws(InvalidConfiguration) -> Migrator {
        do {
            return try Migrator(folders: folders)
        } catch {
            throw InvalidConfiguration(key: DatabaseSchema.migrations.key, "can't be used: \(error)")
        }
    }

    /// Refuses a database that is not the service's, a role that is not the process's or may too much, settings that break promises, and a
    /// schema that this executable does not fit.
    ///
    /// - Throws: ``InvalidConfiguration``, ``UnreachableDependency``, `MigrationError`, `PostgresError`.
    package func check(_ configuration: PostgresConfiguration, _ logger: Logger) async throws {
        let migrator = try migrator()
        let (findings, risks) = try await withSession(configuration, logger) { session in
            let findings = try isolation.findings(session, phase: phase)
            // Of a foreign database the schema says nothing.
            if findings.isEmpty { try migrator.check(session) }
            return (findings, try DatabaseIsolation.serverFindings(session))
        }
        try enforce(findings, logger)
        if environment == .production, !risks.isEmpty {
            throw InvalidConfiguration(key: variable, "is refused in production: \(risks.map(\.description).joined(separator: "; "))")
        }
        for risk in risks { logger.warning("the database server may lose committed data", metadata: ["isolation.finding": "\(risk)"]) }
    }

    /// The part of the check that a standby of the database needs: its schema is the primary's.
    ///
    /// - Throws: ``InvalidConfiguration``, `PostgresError`.
    package func inspectStandby(_ session: PostgresSession, _ logger: Logger) throws {
        try enforce(try isolation.findings(session, phase: phase), logger)
    }

    /// The check as something that a server waits for: a database that does not answer, or goes away in the middle, is asked again.
    ///
    /// One that refuses the role, or that is not there, counts as away: both can be mended at the server while the process waits.
    ///
    /// - Throws: ``InvalidConfiguration`` when the migrations can't be read, which is known before anything is asked.
    package func prerequisite(_ configuration: PostgresConfiguration, _ logger: Logger) throws(InvalidConfiguration) -> Prerequisite {
        _ = try migrator()
        return Prerequisite("database") { try await Self.waiting(for: configuration) { try await check(configuration, logger) } }
    }

    /// Stamps the database as the service's and applies what is missing, as the owner's role.
    ///
    /// - Returns: What this call applied.
    /// - Throws: ``InvalidConfiguration``, ``UnreachableDependency``, `MigrationError`, `IsolationViolation`, `PostgresError`.
    package func migrate(as application: String, _ logger: Logger) async throws -> [Migration] {
        let migrator = try migrator()
        return try await withSession(configuration(as: application), logger, within: .whileServerLives()) { session in
            try enforce(try isolation.findings(session, phase: .migrate), logger)
            try isolation.stamp(session)
            try enforce(try isolation.remainingFindings(session), logger)
            return try migrator.migrate(session)
        }
    }

    /// One session for what happens once, at the start or in a command.
    ///
    /// - Throws: ``UnreachableDependency`` when there is no connection, at first or in the middle; what `body` throws.
    package func withSession<Value: Sendable>(
        _ configuration: PostgresConfiguration, _ logger: Logger, within limit: WaitLimit = .standard,
        _ body: @Sendable (PostgresSession) throws -> Value
    ) async throws -> Value {
        do {
            return try await PostgresConnection.connect(configuration, logger: logger).withSession(within: limit, body)
        } catch let error as PostgresError where error.kind == .connectFailed || error.isConnectionLost {
            throw Self.unreachable(configuration, error)
        }
    }

    /// Lends a command a pool, when the database was checked as it is for a server.
    ///
    /// - Parameter application: What the server shows as the connections' name.
    /// - Throws: ``UnreachableDependency`` when the database is away, at first or in the middle; ``InvalidConfiguration``, `MigrationError`,
    ///   `PostgresError`; what `body` throws.
    package func withPool<Value: Sendable>(
        as application: String, connections: Int, _ logger: Logger, _ body: @Sendable (PostgresPool) async throws -> Value
    ) async throws -> Value {
        let configuration = try configuration(as: application)
        return try await Self.naming(configuration) {
            try await check(configuration, logger)
            let pool = PostgresPool(configuration: configuration, options: PoolOptions(maximumConnections: connections), logger: logger)
            let outcome: Result<Value, any Error>
            do { outcome = .success(try await body(pool)) } catch { outcome = .failure(error) }
            await pool.close()
            return try outcome.get()
        }
    }

    /// A database that is away, at first or in the middle, by its address.
    package static func naming<Value: Sendable>(
        _ configuration: PostgresConfiguration, _ work: () async throws -> Value
    ) async throws -> Value {
        do {
            return try await work()
        } catch let error as PostgresError where error.isOutage {
            throw unreachable(configuration, error)
        }
    }

    /// The same for a start, which waits for a lock or a time-out as well.
    package static func waiting(for configuration: PostgresConfiguration, _ work: () async throws -> Void) async throws {
        do {
            try await naming(configuration, work)
        } catch let error as PostgresError where error.isTimeout || error.isRetryable {
            throw unreachable(configuration, error)
        }
    }

    private static func unreachable(_ configuration: PostgresConfiguration, _ error: PostgresError) -> UnreachableDependency {
        UnreachableDependency("Postgres at \(configuration.host):\(configuration.port)", reason: "\(error)")
    }

    /// - Throws: ``InvalidConfiguration`` in strict mode when there are findings.
    package func enforce(_ findings: [IsolationFinding], _ logger: Logger) throws(InvalidConfiguration) {
        do {
            for finding in try mode.enforce(findings) {
                logger.warning("database isolation is violated", metadata: ["isolation.finding": "\(finding)"])
            }
        } catch {
            throw InvalidConfiguration(key: DatabaseSchema.isolation.key, "strict refuses to start: \(error)")
        }
    }
}
