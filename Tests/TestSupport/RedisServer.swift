import Foundation
import Synchronization

/// A private Redis: own folder, own port, loopback only, nothing kept on disk. It ends with the test process, however that ends.
package final class RedisServer: Sendable {
    /// A certificate with which the server speaks TLS instead of plain text.
    package struct Encryption: Sendable {
        package let certificate: String
        package let key: String
        package let authorities: String

        package init(certificate: String, key: String, authorities: String) {
            self.certificate = certificate
            self.key = key
            self.authorities = authorities
        }
    }

    private static let binary = "/usr/bin/redis-server"

    package let port: Int
    package let folder: String
    private let password: String?
    private let isEncrypted: Bool
    private let process = Mutex<pid_t>(0)
    private let watchdog: Watchdog

    /// Starts a server of one's own.
    ///
    /// - Parameters:
    ///   - password: Of the default user; nil lets everybody in.
    ///   - settings: Lines of redis.conf.
    package static func start(
        password: String? = nil, encryption: Encryption? = nil, settings: [String] = []
    ) async throws -> RedisServer {
        let server = try RedisServer(password: password, encryption: encryption, settings: settings)
        try await server.start()
        return server
    }

    private init(password: String?, encryption: Encryption?, settings: [String]) throws {
        guard FileManager.default.isExecutableFile(atPath: Self.binary) else {
            throw PostgresServer.StartFailure(description: "no \(Self.binary); install the package redis-server")
        }
        port = try FreePort.any()
        self.password = password
        isEncrypted = encryption != nil
        folder = FileManager.default.temporaryDirectory.resolvingSymlinksInPath().appendingPathComponent("florin-redis-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        var lines = [
            "bind 127.0.0.1", "dir \(folder)", "pidfile \(folder)/pid", "logfile \(folder)/log", "save \"\"", "appendonly no", "daemonize no",
            "maxmemory-policy noeviction",
        ]
        if let encryption {
            lines += [
                "port 0", "tls-port \(port)", "tls-cert-file \(encryption.certificate)", "tls-key-file \(encryption.key)",
                "tls-ca-cert-file \(encryption.authorities)", "tls-auth-clients no",
            ]
        } else {
            lines.append("port \(port)")
        }
        if let password { lines.append("requirepass \(password)") }
        lines += settings
        // In a file, not on the command line, where everybody on the machine could read the password.
        try (lines.joined(separator: "\n") + "\n").write(toFile: "\(folder)/redis.conf", atomically: false, encoding: .utf8)
        watchdog = try Watchdog(
            script: """
                pid=$(cat "$1/pid" 2>/dev/null); [ -n "$pid" ] && [ "$(readlink "/proc/$pid/cwd")" = "$1" ] && kill -9 "$pid"; rm -rf "$1"
                """, arguments: [folder])
    }

    deinit {
        stop()
        watchdog.release()
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// As the default user, unless another is named.
    package func url(user: String? = nil, password: String? = nil, database: Int = 0, host: String = "127.0.0.1") -> String {
        let secret = password ?? self.password
        let login = secret.map { "\(user ?? ""):\($0)@" } ?? ""
        return "\(isEncrypted ? "rediss" : "redis")://\(login)\(host):\(port)/\(database)"
    }

    /// Starts the server, again after a ``stop()``, and returns once it answers.
    package func start() async throws {
        let started = try Shell.spawn([Self.binary, "\(folder)/redis.conf"], input: nil, output: "\(folder)/output")
        process.withLock { $0 = started }
        guard try await eventually(within: .seconds(20), { FreePort.answers(port) }) else {
            let log = (try? String(contentsOfFile: "\(folder)/log", encoding: .utf8)) ?? ""
            throw PostgresServer.StartFailure(description: "redis-server does not answer: \(log)")
        }
    }

    /// Kills the server; what it remembered is gone.
    package func stop() {
        process.withLock { process in
            guard process > 0 else { return }
            kill(process, SIGKILL)
            var status: Int32 = 0
            while waitpid(process, &status, 0) == -1, errno == EINTR {}
            process = 0
        }
    }

    /// Makes the server stand still: it keeps its connections and answers nobody.
    package func suspend() { process.withLock { _ = $0 > 0 ? kill($0, SIGSTOP) : 0 } }

    package func resume() { process.withLock { _ = $0 > 0 ? kill($0, SIGCONT) : 0 } }
}
