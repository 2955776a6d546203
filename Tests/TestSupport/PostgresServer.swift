import Foundation
package import Postgres
import Synchronization

/// A private Postgres server: own data folder, own port, loopback only, fsync on. It ends with the test process, however that ends.
///
/// `postgres` is the superuser, trusted over TCP; every other role needs its password (scram-sha-256).
package final class PostgresServer: Sendable {
    package enum StopMode: String, Sendable {
        case fast, immediate
    }

    /// Why no server could be started; tests that need one fail with it.
    package struct StartFailure: Error, CustomStringConvertible {
        package let description: String
    }

    package let port: Int
    package let folder: String
    private let binaries: String
    private let settings: [String: String]
    /// What libfaketime reads the server's offset from; nil for a server with the machine's clock.
    private let clockFile: String?
    private let watchdog: Mutex<Watchdog>
    private let startedPooler = Mutex<Task<PgBouncer, any Error>?>(nil)
    let templates = TemplateCache()

    /// The server that the suites of this process share; the first use starts it. Never stop it: others are using it.
    /// - Parameter own: Taken in its place where there is one.
    package static func shared(unless own: PostgresServer? = nil) async throws -> PostgresServer {
        if let own { own } else { try await sharedTask.value }
    }

    private static let sharedTask = Task { try await PostgresServer.startSeparate() }

    /// Starts a server of one's own, for tests that stop, kill or restart it.
    /// - Parameters:
    ///   - settings: lines of postgresql.conf.
    ///   - ownClock: Whether the server's clock can be set, see ``setClock(ahead:)``.
    package static func startSeparate(settings: [String: String] = [:], ownClock: Bool = false) async throws -> PostgresServer {
        try await PostgresServer(settings: settings, ownClock: ownClock)
    }

    /// Lends one and stops it on every path.
    package static func withSeparate(
        settings: [String: String] = [:], ownClock: Bool = false, _ body: (PostgresServer) async throws -> Void
    ) async throws {
        let server = try await startSeparate(settings: settings, ownClock: ownClock)
        do {
            try await body(server)
        } catch {
            try? await server.stop(.immediate)
            throw error
        }
        try await server.stop(.immediate)
    }

    private init(settings: [String: String], ownClock: Bool) async throws {
        binaries = try Self.findBinaries()
        self.settings = settings
        folder = try await Self.makeFolder()
        clockFile = ownClock ? try Self.makeClockFile(in: folder) : nil
        try await Shell.run(
            Shell.asPostgres([
                "\(binaries)/initdb", "-D", "\(folder)/data", "-U", "postgres", "--auth=scram-sha-256", "--pwfile=\(folder)/password",
                "-E", "UTF8", "--locale=C.UTF-8", "--no-sync",
            ]))
        let access = """
            host all postgres 127.0.0.1/32 trust
            host replication postgres 127.0.0.1/32 trust
            host all all 127.0.0.1/32 scram-sha-256

            """
        try access.write(toFile: "\(folder)/data/pg_hba.conf", atomically: false, encoding: .utf8)
        port = try await Self.startOnFreePort(binaries: binaries, folder: folder, settings: settings, clockFile: clockFile)
        watchdog = Mutex(try Watchdog(binaries: binaries, folder: folder))
    }

    /// Starts a streaming standby of another server, which may be stopped and started like any.
    package static func startStandby(of primary: PostgresServer, ownClock: Bool = false) async throws -> PostgresServer {
        try await PostgresServer(standbyOf: primary, ownClock: ownClock)
    }

    private init(standbyOf primary: PostgresServer, ownClock: Bool) async throws {
        binaries = primary.binaries
        folder = try await Self.makeFolder()
        clockFile = ownClock ? try Self.makeClockFile(in: folder) : nil
        let source = "host=127.0.0.1 port=\(primary.port) user=postgres"
        // The file that pg_basebackup would write this into is written anew with every start.
        settings = primary.settings.merging(["primary_conninfo": source, "hot_standby": "on"]) { $1 }
        try await Shell.run(
            Shell.asPostgres([
                "\(binaries)/pg_basebackup", "-D", "\(folder)/data", "-d", source, "-R", "-X", "stream", "-c", "fast", "--no-sync",
            ]))
        port = try await Self.startOnFreePort(binaries: binaries, folder: folder, settings: settings, clockFile: clockFile)
        watchdog = Mutex(try Watchdog(binaries: binaries, folder: folder))
    }

    deinit {
        watchdog.withLock { $0.release() }
    }

    /// Stops the server; `immediate` is what a power failure looks like to its clients and to recovery.
    package func stop(_ mode: StopMode = .fast) async throws {
        try await Shell.run(
            Shell.asPostgres(["\(binaries)/pg_ctl", "-D", "\(folder)/data", "-m", mode.rawValue, "-w", "-t", "60", "stop"]))
    }

    /// Starts a stopped server again, on the same port.
    package func start() async throws {
        try await Self.start(binaries: binaries, folder: folder, port: port, settings: settings, clockFile: clockFile)
    }

    /// Sets the clock of a server that has one of its own, from the next reading on; negative: behind.
    package func setClock(ahead seconds: Int) throws {
        guard let clockFile else { throw StartFailure(description: "the server has the machine's clock") }
        // Replaced as a whole: a backend reads it at every reading of its clock.
        try Self.offset(seconds).write(toFile: clockFile + ".new", atomically: false, encoding: .utf8)
        guard rename(clockFile + ".new", clockFile) == 0 else { throw StartFailure(description: "the clock can't be set") }
    }

    private static func offset(_ seconds: Int) -> String { "\(seconds < 0 ? "" : "+")\(seconds)s\n" }

    private static func makeClockFile(in folder: String) throws -> String {
        let path = "\(folder)/clock"
        try offset(0).write(toFile: path, atomically: false, encoding: .utf8)
        chmod(path, 0o644)
        return path
    }

    /// libfaketime between the server and its clock.
    private static func environment(clockFile: String?) throws -> [String: String]? {
        guard let clockFile else { return nil }
        let libraries = ["x86_64-linux-gnu", "aarch64-linux-gnu"].map { "/usr/lib/\($0)/faketime/libfaketime.so.1" }
        guard let library = libraries.first(where: FileManager.default.fileExists(atPath:)) else {
            throw StartFailure(description: "no libfaketime; install the package libfaketime")
        }
        return [
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "LD_PRELOAD": library, "FAKETIME_TIMESTAMP_FILE": clockFile,
            "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        ]
    }

    package func restart(_ mode: StopMode = .fast) async throws {
        try await stop(mode)
        try await start()
    }

    /// The pooler in front of this server; the first use starts it, and it ends with the test process.
    package func pooler() async throws -> PgBouncer {
        try await startedPooler.withLock { pooler in
            let start = pooler ?? Task { try await PgBouncer.start(before: self) }
            pooler = start
            return start
        }.value
    }

    /// A URL of this server; without a password it is the superuser's.
    package func url(database: String, user: String = "postgres", password: String? = nil, parameters: String = "") -> String {
        "postgres://\(user)\(password.map { ":" + $0 } ?? "")@127.0.0.1:\(port)/\(database)\(parameters)"
    }

    /// Connects as superuser, for set-up.
    package func superuserConnection(database: String = "postgres") async throws -> PostgresConnection {
        try await PostgresConnection.connect(PostgresConfiguration(url: url(database: database)))
    }

    /// Runs statements as superuser, one after the other.
    package func execute(_ statements: [String], database: String = "postgres") async throws {
        let connection = try await superuserConnection(database: database)
        // A busy machine takes a while over a database.
        try await connection.withSession(within: .perStatement(.seconds(300))) { session in
            for statement in statements { try session.execute(PostgresQuery(unsafeSQL: statement)) }
        }
        await connection.close()
    }

    private static func findBinaries() throws -> String {
        let root = "/usr/lib/postgresql"
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
        let newestFirst = versions.compactMap { Int($0) }.sorted(by: >)
        for version in newestFirst where FileManager.default.isExecutableFile(atPath: "\(root)/\(version)/bin/initdb") {
            return "\(root)/\(version)/bin"
        }
        throw StartFailure(description: "no Postgres server below \(root); install the package postgresql")
    }

    private static func makeFolder() async throws -> String {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("florin-postgres-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        // The superuser's password is never used over TCP, where it is trusted; initdb only wants one.
        try "unused-\(UUID().uuidString)".write(toFile: "\(folder)/password", atomically: false, encoding: .utf8)
        if getuid() == 0 { try await Shell.run(["/usr/bin/chown", "-R", "postgres", folder]) }
        return folder
    }

    private static func startOnFreePort(
        binaries: String, folder: String, settings: [String: String], clockFile: String?
    ) async throws -> Int {
        let attempts = 5
        var failure: (any Error)?
        for _ in 0..<attempts {
            let port = try FreePort.any()
            do {
                try await start(binaries: binaries, folder: folder, port: port, settings: settings, clockFile: clockFile)
                return port
            } catch {
                // Somebody else may have taken the port in between.
                failure = error
            }
        }
        throw failure ?? StartFailure(description: "no free port")
    }

    private static func start(
        binaries: String, folder: String, port: Int, settings: [String: String], clockFile: String?
    ) async throws {
        var all = [
            "port": "\(port)", "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "max_connections": "300", "fsync": "on",
            "shared_buffers": "128MB", "max_wal_size": "2GB", "deadlock_timeout": "200ms", "log_min_messages": "error",
        ]
        all.merge(settings) { $1 }
        let lines = all.keys.sorted().map { "\($0) = '\(all[$0] ?? "")'" }.joined(separator: "\n")
        try (lines + "\n").write(toFile: "\(folder)/data/postgresql.auto.conf", atomically: false, encoding: .utf8)
        try await Shell.run(
            Shell.asPostgres([
                "\(binaries)/pg_ctl", "-D", "\(folder)/data", "-l", "\(folder)/data/server.log", "-w", "-t", "60", "start",
            ]), environment: environment(clockFile: clockFile))
    }
}
