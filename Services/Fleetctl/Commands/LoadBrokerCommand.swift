import ArgumentParser
import FoundationEssentials
import ServiceRuntime

/// `fleetctl load broker`: what RabbitMQ and librabbitmq do without any service.
struct LoadBrokerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "broker", abstract: "Publish or consume events at RabbitMQ.",
        discussion: """
            Both declare the queue of ops-risk as ops-risk does, and read RABBITMQ_URL, for amqps:// RABBITMQ_CA_FILE too. Exit codes: 1 an event \
            was not confirmed, or did not come, 3 the broker cannot be reached, 64 wrong usage or configuration.
            """, subcommands: [Publish.self, Consume.self])

    struct Measured: ParsableArguments {
        @Option(help: ArgumentHelp("A process whose processor time, with that of its children, is reported too; repeatable.", valueName: "pid"))
        var measure: [Int] = []
    }

    fileprivate static let maximumEvents = 1_000_000

    fileprivate static func perform(
        _ name: String, _ measured: Measured, _ work: (BrokerLoad) async throws -> ProcessExit
    ) async throws {
        try await ProcessExit.ending("fleetctl load broker \(name)") {
            let broker = try BrokerLoad.configuration(environment: ProcessInfo.processInfo.environment)
            return try await work(BrokerLoad(broker, measuring: measured.measure))
        }.exit()
    }
}

extension LoadBrokerCommand {
    /// `fleetctl load broker publish`.
    struct Publish: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "publish", abstract: "Publish transfers' events, persistent and mandatory, and wait for their confirms.",
            discussion: "The events are written before the clock starts. Their times are --spacing apart, ending now.")

        @Option(help: "Number of events.")
        var events: Int = 60_000

        @Option(help: "Events sent and not yet confirmed.")
        var window: Int = 1_024

        @Option(help: "Wallets that the events are about.")
        var wallets: Int = 10_000

        @Option(help: "Milliseconds from one event's time to the next one's.")
        var spacing: Int = 10

        @OptionGroup var measured: Measured

        func validate() throws {
            guard (1...LoadBrokerCommand.maximumEvents).contains(events) else {
                throw ValidationError("--events is from 1 to \(LoadBrokerCommand.maximumEvents)")
            }
            guard (1...10_000).contains(window) else { throw ValidationError("--window is from 1 to 10000") }
            guard (2...1_000_000).contains(wallets) else { throw ValidationError("--wallets is from 2 to 1000000") }
            guard (0...1_000).contains(spacing) else { throw ValidationError("--spacing is from 0 to 1000") }
        }

        func run() async throws {
            try await LoadBrokerCommand.perform("publish", measured) { load in
                let publications = try TransferEvents(wallets: wallets, milliseconds: spacing).publications(count: events)
                let report = try await load.publish(publications, window: window)
                print(report)
                return report.events == events ? .success : .failure
            }
        }
    }

    /// `fleetctl load broker consume`.
    struct Consume: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "consume", abstract: "Take events and acknowledge them.",
            discussion: "Ends when all events have arrived, or after --idle seconds without one.")

        @Option(help: "Number of expected events; without it the run ends when no more arrive.")
        var events: Int?

        @Option(help: "Prefetch: maximum unacknowledged deliveries.")
        var prefetch: Int = 300

        @Option(help: "Number of deliveries acknowledged together.")
        var acknowledge: Int = 50

        @Option(help: "Stop after this many seconds without an event.")
        var idle: Int = 10

        @Option(help: ArgumentHelp("Where to write, for each event, its UUID and when it came, microseconds since 1970.", valueName: "file"))
        var arrivals: String?

        @OptionGroup var measured: Measured

        func validate() throws {
            guard events.map({ (1...LoadBrokerCommand.maximumEvents).contains($0) }) ?? true else {
                throw ValidationError("--events is from 1 to \(LoadBrokerCommand.maximumEvents)")
            }
            guard (1...2_000).contains(prefetch) else { throw ValidationError("--prefetch is from 1 to 2000") }
            guard (1...prefetch).contains(acknowledge) else { throw ValidationError("--acknowledge is from 1 to --prefetch") }
            guard (1...600).contains(idle) else { throw ValidationError("--idle is from 1 to 600") }
        }

        func run() async throws {
            try await LoadBrokerCommand.perform("consume", measured) { load in
                let consumption = try await load.consume(
                    events: events, prefetch: prefetch, acknowledging: acknowledge, idle: .seconds(idle))
                if let arrivals {
                    try Data(consumption.arrivals.map(\.line).joined().utf8).write(to: URL(fileURLWithPath: arrivals))
                }
                print(consumption.report)
                return events == nil || consumption.report.events == events ? .success : .failure
            }
        }
    }
}
