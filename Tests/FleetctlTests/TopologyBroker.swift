import AMQP
import Contracts
import EventBroker
import Fleetctl
import Foundation
import Logging
import ServiceRuntime
import TestSupport

/// A virtual host with the fleet's policies, and with `fleetctl` as a user that may what it may in the fleet.
struct TopologyBroker {
    enum User {
        /// The tests' own, who may do everything.
        case everything
        /// The tool's, who may do what infra/rabbitmq says.
        case fleetctl
        /// Another one of the fleet's.
        case fleet(String)
    }

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
    /// Each connects once: on a busy machine the broker may take longer to answer than a client should wait.
    private static let patience = "?connection_timeout=30000"

    let server: RabbitMQServer
    private let host: String

    init() async throws { try await self.init(Self.server.value, host: "t\(UUID().uuidString.prefix(8).lowercased())") }

    /// - Parameter host: The virtual host; one that is there is given the same policies and user.
    init(_ server: RabbitMQServer, host: String) async throws {
        self.server = server
        self.host = host
        try await server.makeFleet(host)
    }

    /// Runs the tool as its user.
    func run(_ action: TopologyReport.Action) async -> Run {
        var printed: [String] = []
        let exit = await TopologyRun(action).perform(
            environment: ["RABBITMQ_URL": url], print: { printed.append($0) }, reportError: { printed.append($0) })
        return Run(exit: exit, output: printed.joined(separator: "\n"))
    }

    func declare(_ topology: AMQPTopology, as user: User = .everything) async throws { try await topology.declare(on: configuration(user)) }

    func deleteQueue(_ name: String) async throws { try await server.control("delete_queue", "--vhost", host, name) }

    func revokeConfigure() async throws { try await server.control("set_permissions", "-p", host, "fleetctl", "^$", ".*", ".*") }

    /// Lets a queue hold so many messages, by a policy that says nothing else and comes before those of the fleet.
    func limit(_ queue: String, to count: Int) async throws {
        try await server.control(
            "set_policy", "-p", host, "--apply-to", "queues", "--priority", "20", "limit", "^\(queue)$", #"{"max-length":\#(count)}"#)
    }

    /// Publishes one event of each type.
    /// - Returns: The types that no queue took.
    func publish(_ types: [String] = types) async throws -> [String] {
        let events = types.map {
            EventMessage.publication(envelope: [1], id: EventID(UUID()), type: $0, source: "test", time: Timestamp(microsecondsSinceUnixEpoch: 0))
        }
        return zip(types, try await publish(events, as: .everything)).filter { $1 != .confirmed }.map(\.0)
    }

    func publish(_ publications: [AMQPPublication], as user: User) async throws -> [PublishOutcome] {
        let publisher = try AMQPPublisher(configuration: configuration(user), name: "test", logger: Self.quiet)
        let running = Task { try await publisher.run() }
        let outcomes = await publisher.publish(publications)
        running.cancel()
        try await running.value
        return outcomes
    }

    /// Whether the broker lets the user take what is in the queue.
    func consumes(_ queue: String, as user: User) async throws -> Bool {
        let consumer = try AMQPConsumer(configuration: configuration(user), name: "test", queue: queue, logger: Self.quiet)
        let running = Task { try await consumer.run() }
        defer { running.cancel() }
        for await change in consumer.changes {
            switch change {
            case .subscribed: return true
            case .refused: return false
            case .cancelledByBroker, .lost: continue
            }
        }
        return false
    }

    /// While a consumer gives back whatever the queue hands it.
    func whileRefused<Value>(_ queue: String, _ body: () async throws -> Value) async throws -> Value {
        let consumer = try AMQPConsumer(configuration: configuration(.everything), name: "test", queue: queue, logger: Self.quiet)
        let running = Task { try await consumer.run() }
        let refusing = Task { for await delivery in consumer.deliveries { consumer.reject(delivery.receipt, isRequeued: true) } }
        defer {
            refusing.cancel()
            running.cancel()
        }
        return try await body()
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

    private func configuration(_ user: User) throws -> AMQPConfiguration {
        switch user {
        case .everything: try AMQPConfiguration(url: server.url(parameters: path))
        case .fleetctl: try AMQPConfiguration(url: url)
        case .fleet(let user): try AMQPConfiguration(url: server.url(as: user, parameters: path))
        }
    }

    private var url: String { server.url(as: "fleetctl", parameters: path) }
    private var path: String { "/\(host.replacing("/", with: "%2F"))\(Self.patience)" }
}
