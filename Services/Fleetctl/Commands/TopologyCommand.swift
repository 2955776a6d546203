import ArgumentParser
import FoundationEssentials
import ServiceRuntime

/// `fleetctl topology`: the exchanges, queues and bindings through which events reach their consumers.
struct TopologyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "topology", abstract: "Compare RabbitMQ with the fleet's topology, and create what is missing.",
        discussion: """
            Reads RABBITMQ_URL, and for amqps:// RABBITMQ_CA_FILE. Names each event type that no consumer takes: such events go to \
            florin.unconsumed. Limits and dead-lettering are policies (infra/rabbitmq/policies.json), retry queues their consumers' own. Exit \
            codes: 0 up to date, 1 drift (after apply: what must be done by hand), 3 the broker cannot be reached, 64 wrong usage or \
            configuration.
            """, subcommands: [Plan.self, Apply.self])
}

extension TopologyCommand {
    /// `fleetctl topology plan`.
    struct Plan: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "plan", abstract: "Show what is missing or different; change nothing.",
            discussion: "Bindings are listed and not compared: AMQP cannot query them.")

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws { try await TopologyCommand.run(.plan, json: json) }
    }

    /// `fleetctl topology apply`.
    struct Apply: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "apply", abstract: "Create what is missing; delete no queue or exchange. A second run changes nothing.",
            discussion: """
                Existing objects of another shape are left alone and reported, with what to do about them; nothing is bound to them. Types that \
                now have a consumer stop going to florin.unconsumed.
                """)

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws { try await TopologyCommand.run(.apply, json: json) }
    }

    private static func run(_ action: TopologyReport.Action, json: Bool) async throws {
        try await TopologyRun(action, isJSON: json).perform(environment: ProcessInfo.processInfo.environment, print: { print($0) }).exit()
    }
}
