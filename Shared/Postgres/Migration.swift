internal import FoundationEssentials

/// A folder of numbered files and the name under which their versions are counted.
package struct MigrationFolder: Sendable, Hashable {
    /// Such as `outbox` or `wallet-ledger`.
    package let namespace: String
    package let path: String

    package init(namespace: String, path: String) {
        self.namespace = namespace
        self.path = path
    }
}

/// One numbered change of a schema, read from its file.
package struct Migration: Sendable, Hashable {
    package let namespace: String
    package let version: Int
    package let name: String
    /// The oldest version whose binaries work with the schema after this change (head comment `-- serves-from: NNNN`).
    package let servesFrom: Int
    /// Whether it runs in a transaction; `-- no-transaction` in the head says no, for one statement such as CREATE INDEX CONCURRENTLY.
    package let isTransactional: Bool
    package let sql: String

    /// How errors and logs name it.
    package var file: String { "\(namespace)/\(Self.padded(version))_\(name).sql" }

    /// Reads a folder; its numbers must run from 1 without a gap.
    /// - Throws: `unreadable`, `badName`, `badHead`.
    static func read(_ folder: MigrationFolder) throws(MigrationError) -> [Migration] {
        guard let entries = try? FileManager.default.contentsOfDirectory(atPath: folder.path) else {
            throw .unreadable(folder.path)
        }
        var migrations: [Migration] = []
        for entry in entries.sorted() where entry.hasSuffix(".sql") {
            let migration = try parse(entry, in: folder)
            guard migration.version == migrations.count + 1 else { throw .badName("\(folder.namespace)/\(entry)") }
            migrations.append(migration)
        }
        guard !migrations.isEmpty else { throw .unreadable(folder.path) }
        return migrations
    }

    private static func parse(_ entry: String, in folder: MigrationFolder) throws(MigrationError) -> Migration {
        let file = "\(folder.namespace)/\(entry)"
        let stem = entry.dropLast(".sql".count)
        let digits = stem.prefix { $0.isASCII && $0.isNumber }
        let name = stem.dropFirst(digits.count + 1)
        guard digits.count == numberWidth, let version = Int(digits), stem.dropFirst(digits.count).first == "_", !name.isEmpty else {
            throw .badName(file)
        }
        guard let sql = try? String(contentsOfFile: "\(folder.path)/\(entry)", encoding: .utf8) else { throw .unreadable(file) }
        var servesFrom: Int?
        var isTransactional = true
        // The head is the comments and blank lines before the first statement.
        for line in sql.split(separator: "\n", omittingEmptySubsequences: false) {
            let words = line.split(whereSeparator: \.isWhitespace)
            guard let first = words.first else { continue }
            guard first.hasPrefix("--") else { break }
            if words.count >= 3, first == "--", words[1] == "serves-from:" { servesFrom = Int(words[2]) }
            if words.count >= 2, first == "--", words[1] == "no-transaction" { isTransactional = false }
        }
        guard let servesFrom else { throw .badHead(file: file, reason: "no \"-- serves-from: NNNN\"") }
        guard (1...version).contains(servesFrom) else {
            throw .badHead(file: file, reason: "serves-from must be a version from 1 to its own")
        }
        return Migration(
            namespace: folder.namespace, version: version, name: String(name), servesFrom: servesFrom, isTransactional: isTransactional,
            sql: sql)
    }

    private static let numberWidth = 4

    private static func padded(_ version: Int) -> String {
        let digits = String(version)
        return String(repeating: "0", count: max(0, numberWidth - digits.count)) + digits
    }
}
