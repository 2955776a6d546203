internal import Glibc

/// Brings a database's schema forward, and tells whether a binary may serve on it.
///
/// Each file runs in a transaction of its own under one lock, so any number of processes may migrate at once. What was applied is
/// kept in `schema_migrations`, with the file's SHA-256.
package struct Migrator: Sendable {
    /// In the order in which they are applied.
    package let migrations: [Migration]
    private let lock: MigrationLock

    /// How long a migration's statement waits for a table that others use. As long as it waits, everybody else waits behind it, postings
    /// among them, so it gives way soon and comes again.
    package static let statementLockTimeout: Duration = .seconds(1)
    /// How often a file is tried that gave way, with a pause of as long as it waited, during which others go on.
    package static let lockAttempts = 60
    package static let defaultLockWaitLimit: Duration = .seconds(600)

    /// Reads the folders, shared ones first.
    /// - Throws: `MigrationError` when a folder, a file's name or its head is wrong.
    package init(folders: [MigrationFolder], lockWaitLimit: Duration = defaultLockWaitLimit) throws(MigrationError) {
        var migrations: [Migration] = []
        for folder in folders { migrations += try Migration.read(folder) }
        self.migrations = migrations
        lock = MigrationLock(waitLimit: lockWaitLimit)
    }

    /// The newest version per namespace: what a binary that was built together with these files needs.
    package var requiredVersions: [SchemaRequirement] {
        var newest: [SchemaRequirement] = []
        for migration in migrations {
            newest.removeAll { $0.namespace == migration.namespace }
            newest.append(SchemaRequirement(namespace: migration.namespace, version: migration.version))
        }
        return newest
    }

    /// Applies what is missing, in order; running it again, or ten times at once, changes nothing more.
    /// - Returns: what this call applied.
    /// - Throws: `MigrationError`, or `PostgresError` when the connection fails.
    @discardableResult
    package func migrate(_ session: PostgresSession) throws -> [Migration] {
        let options = TransactionOptions(lockTimeout: Self.statementLockTimeout)
        var checksums: [String] = []
        try lock.withTransaction(session, options: options) { session in
            try AppliedMigration.createTable(session)
            checksums = try self.checksums(session)
            try verify(AppliedMigration.all(session), checksums: checksums)
        }
        var applied: [Migration] = []
        for (migration, checksum) in zip(migrations, checksums) {
            let isNew =
                if migration.isTransactional {
                    try givingWay {
                        try lock.withTransaction(session, options: options) { session in
                            try apply(migration, checksum: checksum, session) {
                                try session.unsafeScript(migration.sql)
                                guard session.isInTransaction else { throw MigrationError.endedTransaction(file: migration.file) }
                            }
                        }
                    }
                } else {
                    try lock.withSessionLock(session) { session in
                        try apply(migration, checksum: checksum, session) {
                            // One statement by the extended protocol: the simple one would wrap several in a transaction.
                            try session.execute(PostgresQuery(unsafeSQL: migration.sql))
                        }
                    }
                }
            if isNew { applied.append(migration) }
        }
        return applied
    }

    /// Runs a file's transaction again that did not get a lock on a table in time: it left no trace.
    private func givingWay(_ transaction: () throws -> Bool) throws -> Bool {
        for _ in 1..<Self.lockAttempts {
            do {
                return try transaction()
            } catch MigrationError.failed(_, let failure) where failure.isLockTimeout {
                usleep(UInt32(Self.statementLockTimeout.wholeMilliseconds) * 1_000)
            }
        }
        return try transaction()
    }

    /// Every file and whether it is applied; changes nothing.
    /// - Throws: `PostgresError`.
    package func status(_ session: PostgresSession) throws -> [(migration: Migration, isApplied: Bool)] {
        let applied = try AppliedMigration.all(session)
        return migrations.map { migration in
            (migration, applied.contains { $0.namespace == migration.namespace && $0.version == migration.version })
        }
    }

    private func apply(_ migration: Migration, checksum: String, _ session: PostgresSession, _ run: () throws -> Void) throws -> Bool {
        // Another process may have applied it since the first look.
        let isApplied = try AppliedMigration.all(session).contains {
            $0.namespace == migration.namespace && $0.version == migration.version
        }
        guard !isApplied else { return false }
        do {
            try run()
        } catch let error as PostgresError where error.kind == .server {
            throw MigrationError.failed(file: migration.file, MigrationError.PostgresFailure(error))
        }
        try AppliedMigration.record(migration, checksum: checksum, session)
        return true
    }

    private func checksums(_ session: PostgresSession) throws -> [String] {
        let texts = migrations.map { Array($0.sql.utf8) }
        let result = try session.query(
            """
            SELECT encode(sha256(body), 'hex') FROM unnest(\(texts)) WITH ORDINALITY AS files (body, place) ORDER BY place
            """)
        return try result.map { row in try row.decode(String.self) }
    }

    private func verify(_ applied: [AppliedMigration], checksums: [String]) throws(MigrationError) {
        for (migration, checksum) in zip(migrations, checksums) {
            let ours = applied.filter { $0.namespace == migration.namespace }
            if let same = ours.first(where: { $0.version == migration.version }) {
                guard same.checksum == checksum else { throw .changedAfterApplied(file: migration.file) }
            } else if let later = ours.first(where: { $0.version > migration.version }) {
                throw .outOfOrder(file: migration.file, applied: later.version)
            }
        }
        // What is newer than our files came from a newer release and is none of our business.
    }
}
