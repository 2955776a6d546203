import Foundation

/// A shell that waits for the end of a pipe, which comes when this process dies in whatever way, and then stops the server and
/// removes its folder.
struct Watchdog: Sendable {
    private let input: Int32

    init(binaries: String, folder: String) throws {
        let pipe = Pipe()
        let process = Process()
        let script = "cat >/dev/null; \"$1\" -D \"$2/data\" -m immediate -w stop >/dev/null 2>&1; rm -rf \"$2\""
        let (shell, arguments) = Shell.asPostgres(["/bin/sh", "-c", script, "watchdog", "\(binaries)/pg_ctl", folder])
        process.executableURL = URL(fileURLWithPath: shell)
        process.arguments = arguments
        process.standardInput = pipe
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        // A descriptor of its own, closed on exec: a child that inherited it would keep the pipe open after our death.
        input = fcntl(pipe.fileHandleForWriting.fileDescriptor, F_DUPFD_CLOEXEC, 3)
        guard input >= 0 else { throw PostgresServer.StartFailure(description: "no descriptor for the watchdog") }
        _ = fcntl(pipe.fileHandleForWriting.fileDescriptor, F_SETFD, FD_CLOEXEC)
        try process.run()
        try pipe.fileHandleForWriting.close()
    }

    func release() { close(input) }
}
