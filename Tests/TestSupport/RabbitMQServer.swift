import Dispatch
import Fleet
import Foundation
import Synchronization

/// A private RabbitMQ: own node, own epmd, own ports, own folders and cookie, loopback only. It ends with the test process, however that ends.
package final class RabbitMQServer: Sendable {
    /// Why no broker could be started; tests that need one fail with it.
    package struct StartFailure: Error, CustomStringConvertible {
        package let description: String
    }

    /// The largest message that the broker takes, so that tests need no 128 MiB.
    package static let maximumMessageBytes = 1_000_000
    /// The tests' own, who may do everything, and publish in others' names.
    package static let user = "florin"
    /// Of processes that demand their own user; like the one above they may do everything.
    private static let relays = Fleet.sources.map { FleetService.relayUser(of: $0.name) }
    private static let scripts = "/usr/lib/rabbitmq/bin"
    /// One call at a time: each starts a virtual machine, which keeps a core busy for a second.
    private static let controlQueue = DispatchQueue(label: "florin.rabbitmqctl")
    private static let startLimit = Duration.seconds(60)

    package let port: Int
    package let encryptedPort: Int
    package let folder: String
    /// Of the certificate that the broker shows, which is `localhost`'s.
    package let authority: TestAuthority
    /// Of all users.
    let password = UUID().uuidString
    private let environment: [String]
    private let watchdog: Mutex<Watchdog>

    /// The broker that the suites of this process share; the first use starts it. Whoever stops, stalls or fills one starts a separate one.
    package static func shared() async throws -> RabbitMQServer { try await sharedTask.value }

    private static let sharedTask = Task { try await RabbitMQServer.startSeparate() }

    /// Starts a broker of one's own, which takes about eight seconds.
    ///
    /// - Parameter plugins: Those that are enabled, by name.
    package static func startSeparate(plugins: [String] = []) async throws -> RabbitMQServer {
        let server = try await RabbitMQServer(plugins)
        try await server.start()
        return server
    }

    private init(_ plugins: [String]) async throws {
        guard FileManager.default.isExecutableFile(atPath: "\(Self.scripts)/rabbitmq-server") else {
            throw StartFailure(description: "no \(Self.scripts)/rabbitmq-server; install the package rabbitmq-server")
        }
        let ports = try (0..<4).map { _ in try FreePort.any() }
        port = ports[0]
        encryptedPort = ports[1]
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("florin-rabbitmq-\(UUID().uuidString)").path
        authority = try await TestAuthority()
        environment = [
            "HOME=\(folder)", "ERL_EPMD_PORT=\(ports[2])", "ERL_EPMD_ADDRESS=127.0.0.1", "RABBITMQ_DIST_PORT=\(ports[3])",
            "RABBITMQ_NODENAME=florin-\(ports[0])@localhost", "RABBITMQ_MNESIA_BASE=\(folder)/mnesia", "RABBITMQ_LOG_BASE=\(folder)/log",
            "RABBITMQ_CONFIG_FILE=\(folder)/rabbitmq.conf", "RABBITMQ_CONF_ENV_FILE=/dev/null", "RABBITMQ_PID_FILE=\(folder)/pid",
            "RABBITMQ_ENABLED_PLUGINS_FILE=\(folder)/plugins",
            // Two schedulers that sleep when there is nothing to do: the tests need the processor.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=-kernel inet_dist_use_interface {127,0,0,1} +S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none",
        ]
        watchdog = Mutex(
            try Watchdog(
                script: """
                    for f in pid epmd; do p=$(cat "$1/$f") && kill -CONT $p; kill -KILL $p; done 2>/dev/null; rm -rf "$1"
                    """, arguments: [folder], as: Self.asBroker))
        try await writeFiles(plugins)
        // Started by hand so that its process is known; the node would start one that outlives it.
        _ = try Shell.spawn(
            Self.asBroker(
                inEnvironment([
                    "/bin/sh", "-c", "echo $$ >\"$1/epmd\"; exec epmd -address 127.0.0.1 -port \"$2\"", "sh", folder, "\(ports[2])",
                ])), input: nil, output: "/dev/null")
    }

    deinit { watchdog.withLock { $0.release() } }

    /// - Parameter parameters: such as `?heartbeat=1`.
    package func url(as user: String = user, parameters: String = "") -> String {
        "amqp://\(user):\(password)@127.0.0.1:\(port)\(parameters)"
    }

    /// - Parameter host: `localhost` is the certificate's.
    package func encryptedURL(host: String = "localhost", authority: TestAuthority) -> String {
        "amqps://\(Self.user):\(password)@\(host):\(encryptedPort)?cacertfile=\(authority.folder)/ca.crt"
    }

    /// Starts the node, on its folder, and waits until it takes connections.
    package func start() async throws {
        _ = try Shell.spawn(
            Self.asBroker(inEnvironment(["\(Self.scripts)/rabbitmq-server"])), input: nil, output: "\(folder)/output")
        let isUp = try await eventually(within: Self.startLimit, every: .milliseconds(50)) { Self.answers(port) && Self.answers(encryptedPort) }
        guard isUp else {
            let output = (try? String(contentsOfFile: "\(folder)/output", encoding: .utf8)) ?? ""
            throw StartFailure(description: "the broker did not start: \(output.suffix(2000))")
        }
    }

    /// What a crash of the machine's process looks like; what was confirmed is on the disk.
    package func kill() async throws {
        let process = try process
        Foundation.kill(process, SIGKILL)
        // Where it is a child of ours it must be waited for to be gone.
        guard try await eventually({ waitpid(process, nil, WNOHANG) == process || Foundation.kill(process, 0) != 0 }) else {
            throw StartFailure(description: "the broker does not die")
        }
        try FileManager.default.removeItem(atPath: "\(folder)/pid")
    }

    /// Stops the process in its tracks: connections stay, nothing is answered.
    package func freeze() throws { Foundation.kill(try process, SIGSTOP) }
    package func thaw() throws { Foundation.kill(try process, SIGCONT) }

    /// Runs `rabbitmqctl` on this node.
    /// - Returns: what it prints.
    @discardableResult
    package func control(_ arguments: String...) async throws -> String { try await control(arguments) }

    @discardableResult
    package func control(_ arguments: [String]) async throws -> String {
        try await Shell.run(
            Self.asBroker(inEnvironment(["\(Self.scripts)/rabbitmqctl", "--quiet"] + arguments)), on: Self.controlQueue)
    }

    /// How many messages wait in the queue, those handed out and unsettled included.
    package func messages(in queue: String) async throws -> Int? {
        let table = try await control("list_queues", "--no-table-headers", "name", "messages")
        let lines = table.split(separator: "\n").map { $0.split(separator: "\t") }
        return lines.first { $0.count == 2 && $0[0] == queue }.flatMap { Int($0[1]) }
    }

    private var process: pid_t {
        get throws {
            let text = try String(contentsOfFile: "\(folder)/pid", encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
            guard let process = pid_t(text) else { throw StartFailure(description: "the broker has written no process id") }
            return process
        }
    }

    private func inEnvironment(_ command: [String]) -> [String] { ["/usr/bin/env", "--chdir=\(folder)"] + environment + command }

    /// The package's user when this process is root; oneself otherwise.
    private static func asBroker(_ command: [String]) -> [String] {
        getuid() == 0 ? ["/usr/sbin/runuser", "-u", "rabbitmq", "--"] + command : command
    }

    private func writeFiles(_ plugins: [String]) async throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let issued = try await authority.issue("broker", hosts: "DNS:localhost")
        for (from, to) in [(issued.certificate, "broker.crt"), (issued.key, "broker.key"), ("\(authority.folder)/ca.crt", "ca.crt")] {
            try FileManager.default.copyItem(atPath: from, toPath: "\(folder)/\(to)")
        }
        let settings = """
            listeners.tcp.1 = 127.0.0.1:\(port)
            listeners.ssl.1 = 127.0.0.1:\(encryptedPort)
            ssl_options.cacertfile = \(folder)/ca.crt
            ssl_options.certfile = \(folder)/broker.crt
            ssl_options.keyfile = \(folder)/broker.key
            load_definitions = \(folder)/definitions.json
            max_message_size = \(Self.maximumMessageBytes)
            vm_memory_high_watermark.absolute = 2GB
            disk_free_limit.absolute = 10MB
            log.file.level = error
            log.console = false

            """
        try settings.write(toFile: "\(folder)/rabbitmq.conf", atomically: false, encoding: .utf8)
        try definitions().write(to: URL(fileURLWithPath: "\(folder)/definitions.json"))
        try "[\(plugins.joined(separator: ","))].\n".write(toFile: "\(folder)/plugins", atomically: false, encoding: .utf8)
        try UUID().uuidString.write(toFile: "\(folder)/.erlang.cookie", atomically: false, encoding: .utf8)
        try await Shell.run(["/bin/chmod", "400", "\(folder)/.erlang.cookie"])
        if getuid() == 0 { try await Shell.run(["/usr/bin/chown", "-R", "rabbitmq", folder]) }
    }

    /// The users, and the exchange that processes expect to find.
    private func definitions() throws -> Data {
        let names = [Self.user] + Self.relays
        return try JSONSerialization.data(withJSONObject: [
            "vhosts": [["name": "/"]],
            "users": names.map { name in
                ["name": name, "password": password, "tags": name == Self.user ? ["administrator", "impersonator"] : []] as [String: Any]
            },
            "permissions": names.map { ["user": $0, "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"] },
            "exchanges": [
                [
                    "name": "florin.events", "vhost": "/", "type": "topic", "durable": true, "auto_delete": false, "internal": false,
                    "arguments": [String: String](),
                ]
            ],
        ])
    }

    private static func answers(_ port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                connect(descriptor, pointer, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
