import ArgumentParser
import FoundationEssentials
import ServiceRuntime

/// `fleetctl topology`: the exchanges, queues and bindings through which events reach their consumers.
struct TopologyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "topology", abstract: "Compare RabbitMQ with the fleet's topology, and make what is missing.",
        discussion: """
            Reads RABBITMQ_URL, and for amqps:// RABBITMQ_CA_FILE. Names each event type that no consumer takes: such events go to \
            florin.unconsumed. Limits and dead-lettering are policies (infra/rabbitmq/policies.json), retry queues their consumers' own. Exit \
            codes: 0 as it should be, 1 drift (after apply: what must be done by hand), 3 the broker cannot be reached, 64 wrong usage or \
            configuration.
            """, subcommands: [Plan.self, Apply.self])
}

extension TopologyCommand {
    /// `fleetctl topology plan`.
    struct Plan: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "plan", abstract: "Say what is missing or different; change nothing.",
            discussion: "Bindings are listed and not compared: AMQP has no question for them.")

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws { try await TopologyCommand.run(.plan, json: json) }
    }

    /// `fleetctl topology apply`.
    struct Apply: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "apply", abstract: "Make what is missing; delete no queue or exchange. Repeated it changes nothing.",
            discussion: """
                What is there in another shape is left as it is and said, with what to do about it; nothing is bound to it meanwhile. A type that \
                has got a consumer no longer goes to florin.unconsumed.
                """)

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws { try await TopologyCommand.run(.apply, json: json) }
    }

    private static func run(_ action: TopologyReport.Action, json: Bool) async throws {
        try await TopologyRun(action, isJSON: json).perform(environment: ProcessInfo.processInfo.environment, print: { print($0) }).exit()
    }
}
