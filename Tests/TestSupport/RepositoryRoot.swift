import Foundation

/// Paths inside the working copy that these tests were built from.
package enum RepositoryRoot {
    package static let path = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

    /// A path below the root, such as `migrations/wallet-ledger`.
    package static func path(_ relative: String) -> String { "\(path)/\(relative)" }
}
