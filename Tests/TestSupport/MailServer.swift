import Foundation
import Synchronization

/// A private SMTP server: Debian's aiosmtpd, loopback only, which keeps what it takes in a folder. It ends with the test process, however
/// that ends.
package final class MailServer: Sendable {
    package enum Encryption: Sendable {
        case none
        /// Offered, and demanded before a mail is taken.
        case startTLS(TestAuthority.Issued)
        case implicit(TestAuthority.Issued)
    }

    /// A mail as Python's `email` package reads it.
    package struct Mail: Decodable, Sendable {
        package let headers: [[String]]
        package let text: String?
        package let html: String?
        /// As it was kept: what came over the wire, and before it what the server adds.
        package let raw: String

        package func header(_ name: String) -> String? { headers.first { $0.first?.lowercased() == name.lowercased() }?.last }
    }

    private static let python = "/usr/bin/python3"

    package let port: Int
    private let home: TemporaryFolder
    private let encryption: Encryption
    private let offersUTF8: Bool
    private let process = Mutex<pid_t>(0)
    private let watchdog: Watchdog

    /// - Parameter offersUTF8: Whether it takes addresses that are not ASCII.
    package static func start(encryption: Encryption = .none, offersUTF8: Bool = false) async throws -> MailServer {
        let server = try MailServer(encryption: encryption, offersUTF8: offersUTF8)
        try await server.start()
        return server
    }

    private init(encryption: Encryption, offersUTF8: Bool) throws {
        port = try FreePort.any()
        home = try TemporaryFolder("mail")
        self.encryption = encryption
        self.offersUTF8 = offersUTF8
        watchdog = try Watchdog(
            script: "pid=$(cat \"$1/pid\" 2>/dev/null); [ -n \"$pid\" ] && [ \"$(readlink \"/proc/$pid/cwd\")\" = \"$1\" ] && kill -9 \"$pid\"",
            arguments: [home.path], as: { $0 })
    }

    deinit {
        stop()
        watchdog.release()
    }

    private var folder: String { "\(home.path)/mails" }

    /// Starts it, again after a ``stop()`` with the mails so far, and returns once it answers.
    package func start() async throws {
        var options: [String] = offersUTF8 ? ["--smtputf8"] : []
        switch encryption {
        case .none: break
        case .startTLS(let issued): options += ["--tlscert", issued.certificate, "--tlskey", issued.key]
        case .implicit(let issued): options += ["--smtpscert", issued.certificate, "--smtpskey", issued.key]
        }
        let command =
            [Self.python, "-m", "aiosmtpd", "--nosetuid", "--class", "aiosmtpd.handlers.Mailbox", "--listen", "127.0.0.1:\(port)"] + options
            + [folder]
        // In its folder and with its pid there, so that the watchdog ends this process and no other.
        let started = try Shell.spawn(
            ["/bin/sh", "-c", "cd \"$1\"; echo $$ >pid; shift; exec \"$@\"", "sh", home.path] + command, input: nil,
            output: "\(home.path)/output")
        process.withLock { $0 = started }
        guard try await eventually({ FreePort.answers(port) }) else {
            let output = (try? String(contentsOfFile: "\(home.path)/output", encoding: .utf8)) ?? ""
            throw PostgresServer.StartFailure(description: "aiosmtpd does not answer: \(output)")
        }
    }

    package func stop() {
        process.withLock { process in
            guard process > 0 else { return }
            kill(process, SIGKILL)
            var status: Int32 = 0
            while waitpid(process, &status, 0) == -1, errno == EINTR {}
            process = 0
        }
    }

    /// Makes the server stand still: it lets clients connect and answers nobody.
    package func suspend() { process.withLock { _ = $0 > 0 ? kill($0, SIGSTOP) : 0 } }

    package func resume() { process.withLock { _ = $0 > 0 ? kill($0, SIGCONT) : 0 } }

    /// What it has taken, in the order of arrival.
    package func mails() async throws -> [Mail] {
        let lines = try await Shell.run([Self.python, RepositoryRoot.path("infra/local/mails.py"), folder, "--json"])
        return try lines.split(separator: "\n").map { try JSONDecoder().decode(Mail.self, from: Data($0.utf8)) }
    }
}
