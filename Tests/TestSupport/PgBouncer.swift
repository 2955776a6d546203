import Foundation
import Synchronization

/// A PgBouncer in transaction mode in front of a test server; it ends with the test process.
///
/// Two server connections for any number of clients of one database and role, so that what a session leaves behind meets another client
/// soon. Idle ones are closed, since every test has a database of its own.
package final class PgBouncer: Sendable {
    package static let serverConnections = 2
    private static let binary = "/usr/sbin/pgbouncer"

    package let port: Int
    private let folder: String
    private let daemon: Mutex<(process: pid_t, watchdog: Watchdog)>

    /// Starts one of one's own, for tests that kill it; `PostgresServer.pooler()` is the one that the others share.
    package static func start(before server: PostgresServer) async throws -> PgBouncer { try await PgBouncer(server: server) }

    private init(server: PostgresServer) async throws {
        guard FileManager.default.isExecutableFile(atPath: Self.binary) else {
            throw PostgresServer.StartFailure(description: "no \(Self.binary); install the package pgbouncer")
        }
        port = try FreePort.any()
        folder = "\(server.folder)/pgbouncer-\(port)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        // It asks the server for the verifiers of the roles and passes SCRAM through.
        let settings = """
            [databases]
            * = host=127.0.0.1 port=\(server.port) auth_user=postgres
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = \(port)
            unix_socket_dir =
            pool_mode = transaction
            default_pool_size = \(Self.serverConnections)
            max_client_conn = 2000
            server_idle_timeout = 5
            auth_type = scram-sha-256
            auth_query = SELECT usename, passwd FROM pg_shadow WHERE usename = $1
            auth_file = \(folder)/users
            pidfile = \(folder)/pid
            logfile = \(folder)/log

            """
        try settings.write(toFile: "\(folder)/settings.ini", atomically: false, encoding: .utf8)
        try "\"postgres\" \"\"\n".write(toFile: "\(folder)/users", atomically: false, encoding: .utf8)
        if getuid() == 0 { try await Shell.run(["/usr/bin/chown", "-R", "postgres", folder]) }
        daemon = Mutex(try await Self.startDaemon(folder))
    }

    deinit { daemon.withLock { $0.watchdog.release() } }

    /// Kills the pooler, which cuts every client off in whatever it was doing, and starts it again on the same port; also one that has died.
    package func killAndRestart() async throws {
        daemon.withLock { daemon in
            kill(daemon.process, SIGKILL)
            daemon.watchdog.release()
        }
        try? FileManager.default.removeItem(atPath: "\(folder)/pid")
        let started = try await Self.startDaemon(folder)
        daemon.withLock { $0 = started }
    }

    /// The same address through the pooler.
    package func url(_ direct: String, server: PostgresServer) -> String {
        direct.replacingOccurrences(of: ":\(server.port)/", with: ":\(port)/")
    }

    private static func startDaemon(_ folder: String) async throws -> (process: pid_t, watchdog: Watchdog) {
        // The command returns before its daemon has written who it is.
        let start = """
            "$1" -q -d "$2/settings.ini"
            for _ in {1..200}; do [ -s "$2/pid" ] && exit; sleep 0.05; done
            echo "no pid file after 10 s"; cat "$2/log"; exit 1
            """
        try await Shell.run(Shell.asPostgres(["/bin/bash", "-c", start, "bash", binary, folder]))
        let process = try String(contentsOfFile: "\(folder)/pid", encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
        // By the time that the tests end, a killed one's number may be another process's.
        let watchdog = try Watchdog(script: "grep -qsx pgbouncer \"/proc/$1/comm\" && kill \"$1\"", arguments: [process])
        return (pid_t(process) ?? 0, watchdog)
    }
}
