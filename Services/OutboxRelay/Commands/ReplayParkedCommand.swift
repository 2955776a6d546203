import AMQP
import ArgumentParser
import Contracts
import EventBroker
import Outbox
import Postgres
import ServiceRuntime

/// `replay-dead-letters`: publishes parked events once more.
struct ReplayParkedCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay-dead-letters", abstract: "Publish events once more that could not be published.",
        discussion: "Exit codes: 0 all published, 1 some failed again, 3 the database or the broker cannot be reached, 64 wrong usage.")

    private static let connectLimit = Duration.seconds(10)

    @OptionGroup var source: SourceOption
    @OptionGroup var selection: ParkedSelection
    @Flag(help: "Only say what would be published.")
    var dryRun = false
    @Flag(help: "Print JSON: one object per failure, and one for the run.")
    var json = false

    func run() async throws {
        let (selection, dryRun, json) = (selection.selection, dryRun, json)
        try await OutboxRelay.perform(environment: source.environment) { settings, context in
            let pool = try await settings.pool(for: "replay-dead-letters", context)
            let parked = try await pool.withSession { session in try HeldStore().parked(session, selection) }
            if dryRun {
                for one in parked { print(json ? one.json : one.line) }
                if !json { print("\(parked.count) dead letters would be published") }
                return .success
            }
            let result = try await Self.publishing(settings, context) { publisher in
                let replay = ReplayParked(source: settings.source.rawValue, pool: pool, publisher: publisher)
                return try await replay.run(parked) { result in
                    StandardError.write(line: "published \(result.published), failed \(result.failures.count), of \(parked.count)")
                }
            }
            await pool.close()
            for failure in result.failures { print(Self.text(failure, json: json)) }
            let (published, failed) = (result.published, result.failures.count)
            print(json ? "{\"published\":\(published),\"failed\":\(failed)}" : "\(published) published, \(failed) failed again")
            return result.failures.isEmpty ? .success : .failure
        }.exit()
    }

    /// Lends a publisher that is connected.
    /// - Throws: ``UnreachableDependency`` when the broker does not let it in.
    private static func publishing<Value: Sendable>(
        _ settings: OutboxRelayConfiguration, _ context: ProcessContext, _ body: @Sendable (AMQPPublisher) async throws -> Value
    ) async throws -> Value {
        let broker = settings.broker.configuration
        let publisher = try AMQPPublisher(
            configuration: broker, name: "\(settings.source.rawValue)-replay", options: OutboxRelay.publisherOptions(RelayTiming()),
            logger: context.logger, metrics: context.metrics)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await publisher.run() }
            defer { group.cancelAll() }
            let deadline = ContinuousClock.now + connectLimit
            while !publisher.status.isOpen {
                guard ContinuousClock.now < deadline else {
                    throw UnreachableDependency(
                        "RabbitMQ at \(broker.host):\(broker.port)", reason: publisher.status.lastError?.description ?? "no answer")
                }
                try await Task.sleep(for: .milliseconds(20))
            }
            return try await body(publisher)
        }
    }

    private static func text(_ failure: ReplayParked.Failure, json: Bool) -> String {
        guard json else { return "outbox id \(failure.id): \(failure.reason)" }
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("outbox_id", failure.id)
            writer.member("reason", failure.reason)
        }
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}
