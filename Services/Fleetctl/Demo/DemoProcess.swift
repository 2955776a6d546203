#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Runs an executable to its end with an environment of its own, and keeps what it printed.
enum DemoProcess {
    struct CannotStart: Error, CustomStringConvertible {
        let path: String
        var description: String { "can't start \(path)" }
    }

    /// More than any of the demo's commands prints.
    private static let maximumOutput = 65_536

    /// - Returns: the exit code (128 + signal for a killed process) and both outputs together.
    static func run(_ path: String, _ arguments: [String], environment: [String: String]) throws -> (code: Int32, output: String) {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw CannotStart(path: path) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO)
        posix_spawn_file_actions_addclose(&actions, ends[0])
        posix_spawn_file_actions_addclose(&actions, ends[1])

        var argumentPointers = ([path] + arguments).map { strdup($0) } + [nil]
        var environmentPointers = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer {
            for pointer in argumentPointers + environmentPointers { free(pointer) }
        }
        var process: pid_t = 0
        let started = posix_spawn(&process, path, &actions, nil, &argumentPointers, &environmentPointers)
        close(ends[1])
        defer { close(ends[0]) }
        guard started == 0 else { throw CannotStart(path: path) }

        var output: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = read(ends[0], &chunk, chunk.count)
            guard count > 0 else { break }
            if output.count < maximumOutput { output.append(contentsOf: chunk[..<count]) }
        }
        var status: Int32 = 0
        while waitpid(process, &status, 0) == -1, errno == EINTR {}
        let signal = status & 0x7F
        return (signal == 0 ? (status >> 8) & 0xFF : 128 + signal, String(decoding: output, as: UTF8.self))
    }
}
