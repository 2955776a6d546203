import Foundation

/// A shell that waits for the end of a pipe, which comes when this process dies in whatever way, and then cleans up.
package struct Watchdog: Sendable {
    private let input: Int32

    /// Stops a server and removes its folder.
    init(binaries: String, folder: String) throws {
        try self.init(
            script: "\"$1\" -D \"$2/data\" -m immediate -w stop >/dev/null 2>&1; rm -rf \"$2\"",
            arguments: ["\(binaries)/pg_ctl", folder])
    }

    /// - Parameter user: turns a command into one as the user that the server runs as.
    package init(script: String, arguments: [String], as user: ([String]) -> [String] = Shell.asPostgres) throws {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw PostgresServer.StartFailure(description: "no pipe for the watchdog") }
        // Closed on exec: a child that inherited the writing end would keep the pipe open after our death.
        _ = fcntl(ends[1], F_SETFD, FD_CLOEXEC)
        let shell = user(["/bin/sh", "-c", "cat >/dev/null; " + script, "watchdog"] + arguments)
        // In a session of its own, so that what ends the tests (Ctrl-C, a time-out) doesn't end it as well.
        _ = try Shell.spawn(["/usr/bin/setsid"] + shell, input: ends[0], output: "/dev/null")
        close(ends[0])
        input = ends[1]
    }

    package func release() { close(input) }
}
