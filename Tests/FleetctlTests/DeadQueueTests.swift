import AMQP
import Fleetctl
import Foundation
import ServiceRuntime
import TestSupport
import Testing

@Suite("The queue of the dead: what the runbook says of it")
struct DeadQueueTests {
    /// The arguments of the one line of the runbook that calls rabbitmqctl with these, as a shell would split them.
    private func arguments(of command: String) throws -> [String] {
        let runbook = try String(contentsOfFile: RepositoryRoot.path("infra/monitoring/runbooks/events.md"), encoding: .utf8)
        let lines = runbook.split(separator: "`").filter { $0.contains("rabbitmqctl \(command) ") }
        try #require(lines.count == 1)
        let parts = lines[0].split(separator: "'", omittingEmptySubsequences: false)
        try #require(parts.count == 3 && parts[2].isEmpty, "one argument in quotes, the last")
        let words = parts[0].split(separator: " ").map(String.init)
        let start = try #require(words.firstIndex(of: "rabbitmqctl"))
        return words[(start + 1)...] + [String(parts[1])]
    }

    /// The line is for the cluster, whose virtual host is the default one and whose nodes have the plugins of k8s/components/rabbitmq.
    @Test("its shovel takes everything from there to the consumer's queue, and ends by itself")
    func shovel() async throws {
        let plugins = try String(contentsOfFile: RepositoryRoot.path("k8s/components/rabbitmq/enabled_plugins"), encoding: .utf8)
        try #require(plugins.contains("rabbitmq_shovel"))
        let broker = try await TopologyBroker(RabbitMQServer.startSeparate(plugins: ["rabbitmq_shovel"]), host: "/")
        #expect(await broker.run(.apply).exit == .success)
        let transfers = Array(repeating: "ledger.transfer.posted.v1", count: 20)
        #expect(try await broker.publish(transfers) == [])
        let areDead = try await broker.whileRefused("ops-risk") {
            try await broker.holds(["ops-risk": 0, "notification": 0, "florin.unconsumed": 0, "florin.dead": 20])
        }
        #expect(areDead)

        try await broker.server.control(try arguments(of: "set_parameter shovel"))
        #expect(try await broker.holds(["ops-risk": 20, "notification": 0, "florin.unconsumed": 0, "florin.dead": 0]))
        let isOver = try await eventually(within: .seconds(20), every: .milliseconds(100)) {
            try await broker.server.control("list_parameters").contains("undo-dead") == false
        }
        #expect(isOver)
    }
}
