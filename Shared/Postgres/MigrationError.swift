/// Why a schema can't be migrated or served; every description names the file, table or version and is safe to log.
package enum MigrationError: Error, Sendable, Hashable {
    /// The folder or file can't be read.
    case unreadable(String)
    /// A file's name isn't `NNNN_words.sql`, or a number occurs twice or is missing in its folder.
    case badName(String)
    /// A file doesn't say in its head which schema it still serves, or says something impossible.
    case badHead(file: String, reason: String)
    /// An applied file was edited afterwards.
    case changedAfterApplied(file: String)
    /// A file is older than what is applied already.
    case outOfOrder(file: String, applied: Int)
    /// The file ended the transaction it was run in.
    case endedTransaction(file: String)
    /// A file failed; the error is the server's, the file left no trace unless it runs without a transaction.
    case failed(file: String, PostgresFailure)
    /// Another process holds the migration lock for too long.
    case lockTimeout
    /// `serve`: the schema is older than this binary needs.
    case schemaBehind(namespace: String, required: Int, applied: Int)
    /// `serve`: a later migration no longer serves binaries as old as this one.
    case schemaClosed(namespace: String, required: Int, by: Int, servesFrom: Int)

    /// The safe and the full text of a `PostgresError`.
    package struct PostgresFailure: Sendable, Hashable {
        package let summary: String
        package let details: String
        let isLockTimeout: Bool

        init(_ error: PostgresError) {
            summary = error.description
            details = error.debugDescription
            isLockTimeout = error.sqlState == .lockNotAvailable
        }
    }
}

extension MigrationError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unreadable(let path): "migrations: cannot read \(path)"
        case .badName(let file): "migrations: \(file) is not the next NNNN_name.sql of its folder"
        case .badHead(let file, let reason): "migrations: the head of \(file): \(reason)"
        case .changedAfterApplied(let file): "migrations: \(file) was changed after it had been applied"
        case .outOfOrder(let file, let applied): "migrations: \(file) comes before version \(applied), which is applied already"
        case .endedTransaction(let file): "migrations: \(file) ends the transaction it runs in"
        case .failed(let file, let failure): "migrations: \(file) failed: \(failure.summary)"
        case .lockTimeout: "migrations: another process holds the migration lock"
        case .schemaBehind(let namespace, let required, let applied):
            "schema: \(namespace) is at version \(applied), this binary needs \(required); run migrate"
        case .schemaClosed(let namespace, let required, let by, let servesFrom):
            "schema: version \(by) of \(namespace) serves binaries from version \(servesFrom) on, this one is of version \(required)"
        }
    }
}

extension MigrationError: CustomDebugStringConvertible {
    package var debugDescription: String {
        guard case .failed(let file, let failure) = self else { return description }
        return "migrations: \(file) failed: \(failure.details)"
    }
}
