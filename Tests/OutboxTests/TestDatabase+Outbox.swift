import Postgres
import TestSupport

extension TestDatabase {
    /// A new one with an outbox, the ledger's.
    static func withOutbox() async throws -> TestDatabase {
        try await PostgresServer.shared().makeDatabase(
            service: "wallet-ledger",
            migrations: [
                MigrationFolder(namespace: "outbox", path: RepositoryRoot.path("migrations/shared/outbox")),
                MigrationFolder(namespace: "wallet-ledger", path: RepositoryRoot.path("migrations/wallet-ledger")),
            ])
    }
}
