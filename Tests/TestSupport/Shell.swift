package import Dispatch
import Foundation

/// Runs commands by `posix_spawn`.
///
/// Foundation's `Process` waits for a descriptor that all descendants inherit, so with it starting a daemon would never end. A daemon
/// started here beside a `Process` elsewhere would have the same effect, were its descriptors not closed in the child itself.
package enum Shell {
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    private static let withoutDescriptors = """
        cd /; for path in /proc/$$/fd/*; do n=${path##*/}; if [ "$n" -gt 2 ] && [ "$n" -ne 255 ]; then eval "exec $n>&-"; fi; done; exec "$@"
        """

    /// The command as the user `postgres` when this process is root, which a server refuses to be; as oneself otherwise.
    package static func asPostgres(_ command: [String]) -> [String] {
        getuid() == 0 ? ["/usr/sbin/runuser", "-u", "postgres", "--"] + command : command
    }

    /// Runs a command and waits for it, on a thread of its own: the cooperative pool has one thread per core, and all tests share it.
    ///
    /// - Parameters:
    ///   - environment: Nil for none of the developer's, as `spawn` says.
    ///   - queue: A serial queue for commands of which one at a time is enough.
    /// - Returns: What it printed.
    /// - Throws: `Failure` with that, when it ends with another status than 0.
    @discardableResult
    package static func run(_ command: [String], environment: [String: String]? = nil, on queue: DispatchQueue? = nil) async throws -> String {
        try await withCheckedThrowingContinuation { continuation in
            (queue ?? DispatchQueue(label: "florin.shell")).async {
                continuation.resume(with: Result { try runBlocking(command, environment: environment) })
            }
        }
    }

    private static func runBlocking(_ command: [String], environment: [String: String]?) throws -> String {
        let output = FileManager.default.temporaryDirectory.appendingPathComponent("florin-shell-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: output) }
        let child = try spawn(command, environment: environment, input: nil, output: output)
        var status: Int32 = 0
        while waitpid(child, &status, 0) == -1, errno == EINTR {}
        let text = (try? String(contentsOfFile: output, encoding: .utf8)) ?? ""
        guard status == 0 else {
            // First what it said: a log is cut behind so many letters of a line, and some commands are long.
            throw Failure(description: "\(text.suffix(2000)) (status \(status) of \(command.joined(separator: " ")))")
        }
        return text
    }

    /// Starts a command that inherits no descriptor but its standard ones.
    /// - Parameters:
    ///   - environment: Nil for a small one of our own, so that no PG variable of the developer decides anything.
    ///   - input: a descriptor to read from, nil for none.
    ///   - output: a file for what it prints.
    package static func spawn(
        _ command: [String], environment: [String: String]? = nil, input: Int32?, output: String
    ) throws -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let input {
            posix_spawn_file_actions_adddup2(&actions, input, 0)
        } else {
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        }
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        var arguments: [UnsafeMutablePointer<CChar>?] = (["bash", "-c", withoutDescriptors, "bash"] + command).map { strdup($0) }
        arguments.append(nil)
        defer { for argument in arguments { free(argument) } }
        let chosen = environment ?? ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"]
        var variables = chosen.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for variable in variables { free(variable) } }
        // Dispatch's threads block signals, and a child inherits that: it could not be ended by SIGTERM.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var noSignal = sigset_t()
        sigemptyset(&noSignal)
        posix_spawnattr_setsigmask(&attributes, &noSignal)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var child: pid_t = 0
        let result = posix_spawn(&child, "/bin/bash", &actions, &attributes, &arguments, &variables)
        guard result == 0 else { throw Failure(description: "cannot start \(command[0]): \(String(cString: strerror(result)))") }
        return child
    }
}
