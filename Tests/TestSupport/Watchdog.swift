import Foundation

/// A shell that waits for the end of a pipe, which comes when this process dies in whatever way, and then stops the server and
/// removes its folder.
struct Watchdog: Sendable {
    private let input: Int32

    init(binaries: String, folder: String) throws {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw PostgresServer.StartFailure(description: "no pipe for the watchdog") }
        // Closed on exec: a child that inherited the writing end would keep the pipe open after our death.
        _ = fcntl(ends[1], F_SETFD, FD_CLOEXEC)
        let script = "cat >/dev/null; \"$1\" -D \"$2/data\" -m immediate -w stop >/dev/null 2>&1; rm -rf \"$2\""
        _ = try Shell.spawn(
            Shell.asPostgres(["/bin/sh", "-c", script, "watchdog", "\(binaries)/pg_ctl", folder]), input: ends[0], output: "/dev/null")
        close(ends[0])
        input = ends[1]
    }

    func release() { close(input) }
}
