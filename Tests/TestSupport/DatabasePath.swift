/// How sessions reach Postgres: both ways have to give the same answers.
package enum DatabasePath: String, Sendable, CaseIterable {
    case direct = "directly"
    /// PgBouncer in transaction mode, where each transaction may meet another of two server connections.
    case throughPgBouncer = "through PgBouncer"

    /// Set by `.onEachDatabasePath`.
    @TaskLocal package static var current: DatabasePath?

    /// The serving role's address on this path.
    package func servingURL(_ database: TestDatabase) async throws -> String {
        switch self {
        case .direct: database.servingURL
        case .throughPgBouncer: try await database.server.pooler().url(database.servingURL, server: database.server)
        }
    }
}
