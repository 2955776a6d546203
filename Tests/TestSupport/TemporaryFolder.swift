import Foundation

/// A folder of a test's own, gone with this object and all that is in it.
///
/// Objects that live as long as the process are never released, and a process can be killed: so all folders are in one, which a shell
/// removes when the process has ended, however that ends.
package final class TemporaryFolder: Sendable {
    package let path: String

    /// - Parameter name: What the folder is for, to be read in a listing.
    package init(_ name: String) throws {
        path = "\(try Self.root.get().path)/\(name)-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    private static let root = Result {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("florin-tests-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return (path: path, watchdog: try Watchdog(script: "rm -rf \"$1\"", arguments: [path], as: { $0 }))
    }
}
