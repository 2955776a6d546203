import Foundation

/// Runs a command and waits for it.
enum Shell {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// The command as the user `postgres` when this process is root, which a server refuses to be; as oneself otherwise.
    static func asPostgres(_ command: [String]) -> (executable: String, arguments: [String]) {
        if getuid() == 0 { return ("/usr/sbin/runuser", ["-u", "postgres", "--"] + command) }
        return (command[0], Array(command.dropFirst()))
    }

    static func run(_ executable: String, _ arguments: [String]) throws {
        let output = FileManager.default.temporaryDirectory.appendingPathComponent("florin-shell-\(UUID().uuidString)")
        guard FileManager.default.createFile(atPath: output.path, contents: nil) else {
            throw Failure(description: "cannot write \(output.path)")
        }
        defer { try? FileManager.default.removeItem(at: output) }
        // A file, not a pipe: a server started by the command would keep a pipe open.
        let log = try FileHandle(forWritingTo: output)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: executable)
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: "/")
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = log
        process.standardError = log
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            let text = (try? String(contentsOf: output, encoding: .utf8)) ?? ""
            throw Failure(description: "\(arguments.joined(separator: " ")) ended with \(process.terminationStatus): \(text)")
        }
    }
}
