import Foundation

/// A PgBouncer in transaction mode in front of a test server; it ends with the test process.
///
/// Two server connections for any number of clients, so that what a session leaves behind meets another client soon.
package final class PgBouncer: Sendable {
    package static let serverConnections = 2

    package let port: Int
    private let watchdog: Watchdog

    package static func start(before server: PostgresServer) throws -> PgBouncer { try PgBouncer(server: server) }

    private init(server: PostgresServer) throws {
        let binary = "/usr/sbin/pgbouncer"
        guard FileManager.default.isExecutableFile(atPath: binary) else {
            throw PostgresServer.StartFailure(description: "no \(binary); install the package pgbouncer")
        }
        port = try FreePort.any()
        let folder = "\(server.folder)/pgbouncer-\(port)"
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
            auth_type = scram-sha-256
            auth_query = SELECT usename, passwd FROM pg_shadow WHERE usename = $1
            auth_file = \(folder)/users
            pidfile = \(folder)/pid
            logfile = \(folder)/log

            """
        try settings.write(toFile: "\(folder)/settings.ini", atomically: false, encoding: .utf8)
        try "\"postgres\" \"\"\n".write(toFile: "\(folder)/users", atomically: false, encoding: .utf8)
        if getuid() == 0 { try Shell.run(["/usr/bin/chown", "-R", "postgres", folder]) }
        // The command returns before its daemon has written who it is.
        let start = """
            "$1" -q -d "$2/settings.ini"
            for _ in {1..200}; do [ -s "$2/pid" ] && exit; sleep 0.05; done
            echo "no pid file after 10 s"; cat "$2/log"; exit 1
            """
        try Shell.run(Shell.asPostgres(["/bin/bash", "-c", start, "bash", binary, folder]))
        let process = try String(contentsOfFile: "\(folder)/pid", encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
        watchdog = try Watchdog(script: "kill \"$1\"", arguments: [process])
    }

    deinit { watchdog.release() }

    /// The same address through the pooler.
    package func url(_ direct: String, server: PostgresServer) -> String {
        direct.replacingOccurrences(of: ":\(server.port)/", with: ":\(port)/")
    }
}
