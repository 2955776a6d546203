import NIOPosix
import ServiceRuntime

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Runs a program to its end and keeps what it printed.
package enum ChildProcess {
    /// Why a program did not start; names the path only.
    package struct Failure: Error, Sendable, Hashable, CustomStringConvertible {
        package let description: String
    }

    /// How a program ended.
    package struct Outcome: Sendable, Hashable {
        /// The exit code, or nil when a signal ended it: the limit's, say.
        package let exitCode: Int32?
        /// Standard output and standard error, as they were written.
        package let output: String

        /// Where a program says what ended it.
        package var lastLine: String? { output.split(whereSeparator: \.isNewline).last.map(String.init) }

        /// - Throws: ``UnreachableDependency`` when one of our programs ended because it could not reach something.
        func unlessUnreachable(_ program: String) throws(UnreachableDependency) -> Outcome {
            guard exitCode == ProcessExit.unreachable.rawValue else { return self }
            throw UnreachableDependency("what \(program) needs", reason: lastLine ?? "it does not say")
        }
    }

    /// More than any command of ours prints; what comes after it is read and dropped.
    private static let maximumOutputBytes = 256 * 1024

    /// Runs a program and waits for it, off the threads of tasks.
    ///
    /// - Parameters:
    ///   - environment: all that it gets. Secrets travel here, never in the arguments, which everybody on the machine can read.
    ///   - limit: after this it is killed.
    /// - Throws: ``Failure`` when it cannot be started.
    package static func run(_ path: String, _ arguments: [String], environment: [String: String], limit: Duration) async throws -> Outcome {
        try await NIOThreadPool.singleton.runIfActive { try runBlocking(path, arguments, environment: environment, limit: limit) }
    }

    private static func runBlocking(
        _ path: String, _ arguments: [String], environment: [String: String], limit: Duration
    ) throws(Failure) -> Outcome {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw Failure(description: "no pipe (errno \(errno))") }
        defer { close(ends[0]) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let child: pid_t
        do {
            defer { close(ends[1]) }
            child = try spawn(path, arguments, environment: environment, output: ends[1])
        }
        let output = read(ends[0], until: .now + limit) { kill(child, SIGKILL) }
        var status: Int32 = 0
        while waitpid(child, &status, 0) == -1, errno == EINTR {}
        return Outcome(exitCode: status & 0x7F == 0 ? (status >> 8) & 0xFF : nil, output: output)
    }

    private static func spawn(
        _ path: String, _ arguments: [String], environment: [String: String], output: Int32
    ) throws(Failure) -> pid_t {
        #if canImport(Darwin)
        var actions: posix_spawn_file_actions_t?
        var attributes: posix_spawnattr_t?
        #else
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        #endif
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, output, 2)
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // A thread of a pool may block signals, and a child inherits that.
        var noSignal = sigset_t()
        sigemptyset(&noSignal)
        posix_spawnattr_setsigmask(&attributes, &noSignal)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var argumentTexts: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
        var variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in argumentTexts + variables { free(text) } }
        var child: pid_t = 0
        let result = posix_spawn(&child, path, &actions, &attributes, &argumentTexts, &variables)
        guard result == 0 else { throw Failure(description: "cannot start \(path) (errno \(result))") }
        return child
    }

    /// Reads to the end; at the deadline `stop` is called once, and its effect closes the other end.
    private static func read(_ descriptor: Int32, until deadline: ContinuousClock.Instant, stop: () -> Void) -> String {
        var kept: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16 * 1024)
        var isStopped = false
        while true {
            if !isStopped {
                let (seconds, attoseconds) = max(.zero, ContinuousClock.now.duration(to: deadline)).components
                var poller = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                let ready = poll(&poller, 1, Int32(clamping: seconds * 1_000 + attoseconds / 1_000_000_000_000_000 + 1))
                if ready < 0 { continue }
                if ready == 0 {
                    stop()
                    isStopped = true
                }
            }
            let count = readBytes(descriptor, &buffer)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return String(decoding: kept, as: UTF8.self) }
            kept.append(contentsOf: buffer[..<min(count, max(0, maximumOutputBytes - kept.count))])
        }
    }
}

/// `read(2)`, which the method of the same name above would hide.
private func readBytes(_ descriptor: Int32, _ buffer: inout [UInt8]) -> Int {
    read(descriptor, &buffer, buffer.count)
}
