import Foundation
import Postgres

/// Folders of migration files in a temporary place.
final class MigrationFiles: Sendable {
    let root = FileManager.default.temporaryDirectory.appendingPathComponent("florin-migrations-\(UUID().uuidString)").path

    deinit { try? FileManager.default.removeItem(atPath: root) }

    func write(_ folder: String, _ name: String, _ sql: String, head: String = "-- serves-from: 0001\n") throws {
        try FileManager.default.createDirectory(atPath: "\(root)/\(folder)", withIntermediateDirectories: true)
        try (head + sql).write(toFile: "\(root)/\(folder)/\(name)", atomically: true, encoding: .utf8)
    }

    func migrator(_ folders: String...) throws -> Migrator {
        try Migrator(folders: folders.map { MigrationFolder(namespace: $0, path: "\(root)/\($0)") })
    }
}
