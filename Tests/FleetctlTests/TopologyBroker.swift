import AMQP
import Contracts
import EventBroker
import Fleetctl
import Foundation
import Logging
import ServiceRuntime
import TestSupport

/// A virtual host of one test's own, with the fleet's policies and with `fleetctl` as a user that may what it may in the fleet.
struct TopologyBroker {
    /// What one run of the tool ended with and printed.
    struct Run {
        let exit: ProcessExit
        let output: String

        var lines: [String] { output.split(separator: "\n").map(String.init) }
        func lines(of word: String) -> [String] { lines.filter { $0.hasPrefix("\(word): ") }.map { String($0.dropFirst(word.count + 2)) } }
    }

    static let types = EventCatalogue.entries.map(\.type)
    /// Not the one that other suites freeze and fill.
    private static let server = Task { try await RabbitMQServer.startSeparate() }
    private static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    private static let password = "local-test-only"
    /// Each connects once: on a busy machine the broker may take longer to answer than a client should wait.
    private static let patience = "?connection_timeout=30000"

    private let server: RabbitMQServer
    private let host = "t\(UUID().uuidString.prefix(8).lowercased())"

    init() async throws {
        server = try await Self.server.value
        let path = "\(server.folder)/\(host).json"
        try definitions().write(to: URL(fileURLWithPath: path))
        try await server.control("import_definitions", path)
    }

    /// What infra/rabbitmq says, of this virtual host and this user; and the rest of a virtual host, the tests' own user's part.
    private func definitions() throws -> Data {
        func entries(_ member: String, in file: String) throws -> [[String: Any]] {
            let bytes = try Data(contentsOf: URL(fileURLWithPath: RepositoryRoot.path("infra/rabbitmq/\(file).json")))
            let all = (try JSONSerialization.jsonObject(with: bytes) as? [String: Any])?[member] as? [[String: Any]] ?? []
            return all.filter { ["fleetctl", nil].contains($0["user"] as? String) }.map { $0.merging(["vhost": host]) { $1 } }
        }
        let own = ["user": "florin", "vhost": host, "configure": ".*", "write": ".*", "read": ".*"]
        return try JSONSerialization.data(withJSONObject: [
            "vhosts": [["name": host]], "users": [["name": "fleetctl", "password": Self.password, "tags": [String]()]],
            "permissions": try entries("permissions", in: "permissions") + [own],
            "topic_permissions": try entries("topic_permissions", in: "permissions"), "policies": try entries("policies", in: "policies"),
        ])
    }

    /// Runs the tool as its user.
    func run(_ action: TopologyReport.Action) async -> Run {
        let environment = ["RABBITMQ_URL": "amqp://fleetctl:\(Self.password)@127.0.0.1:\(server.port)/\(host)\(Self.patience)"]
        var printed: [String] = []
        let exit = await TopologyRun(action).perform(
            environment: environment, print: { printed.append($0) }, complain: { printed.append($0) })
        return Run(exit: exit, output: printed.joined(separator: "\n"))
    }

    /// As somebody who may everything.
    func declare(_ topology: AMQPTopology) async throws { try await topology.declare(on: configuration) }

    func deleteQueue(_ name: String) async throws { try await server.control("delete_queue", "--vhost", host, name) }

    func revokeConfigure() async throws { try await server.control("set_permissions", "-p", host, "fleetctl", "^$", ".*", ".*") }

    /// Publishes one event of each type.
    /// - Returns: The types that no queue took.
    func publish(_ types: [String] = types) async throws -> [String] {
        let publisher = try AMQPPublisher(configuration: configuration, name: "test", logger: Self.quiet)
        let running = Task { try await publisher.run() }
        let outcomes = await publisher.publish(
            types.map {
                EventMessage.publication(
                    envelope: [1], id: EventID(UUID()), type: $0, source: "test", time: Timestamp(microsecondsSinceUnixEpoch: 0))
            })
        running.cancel()
        try await running.value
        return zip(types, outcomes).filter { $1 != .confirmed }.map(\.0)
    }

    /// Whether the queues come to hold so many messages, which the broker counts with some delay.
    func holds(_ expected: [String: Int]) async throws -> Bool {
        try await eventually(within: .seconds(20), every: .milliseconds(100)) {
            try await column("messages").compactMapValues { Int($0) } == expected
        }
    }

    /// Of each queue what `rabbitmqctl list_queues` tells.
    func column(_ name: String) async throws -> [String: String] {
        let rows = try await server.control("list_queues", "-p", host, "--no-table-headers", "name", name).split(separator: "\n")
        return Dictionary(
            uniqueKeysWithValues: rows.map { $0.split(separator: "\t").map(String.init) }.filter { $0.count == 2 }.map { ($0[0], $0[1]) })
    }

    private var configuration: AMQPConfiguration { get throws { try AMQPConfiguration(url: server.url(parameters: "/\(host)\(Self.patience)")) } }
}
