import AMQP
import Contracts
import EventBroker
import Observability
import Outbox
import Postgres
import ServiceDatabase
import ServiceRuntime

/// What the commands over a relay's parked events do, apart from their arguments; it prints to whom it is told.
struct ParkedDesk: Sendable {
    let environment: [String: String]
    var context: ContextSource = ProcessContext.ofCommand
    /// Results, for machines and people: standard output.
    let print: @Sendable (_ line: String) -> Void
    /// How far it is, for people at a terminal: standard error. Nil where nobody looks.
    var progress: (@Sendable (_ line: String) -> Void)?
    var complain: @Sendable (_ line: String) -> Void = StandardError.write(line:)

    private static let connectLimit = Duration.seconds(10)

    /// With the process's own environment, output and terminal.
    static func ofProcess(_ source: SourceOption) -> ParkedDesk {
        ParkedDesk(environment: source.environment, print: { line in Swift.print(line) }, progress: StandardError.toTerminal)
    }

    static func now() -> Timestamp { Timestamp(microsecondsSinceUnixEpoch: WallClock.microsecondsSinceUnixEpoch()) }

    func list(_ selection: HeldStore.Selection, json: Bool) async -> ProcessExit {
        await perform("list-dead-letters") { _, pool, _ in
            let parked = try await pool.withSession { session in try HeldStore().parked(session, selection) }
            for event in parked { print(json ? ParkedText.json(event) : ParkedText.line(event)) }
            if !json { print(parked.isEmpty ? "no dead letters" : "\(parked.count) dead letters") }
            return .success
        }
    }

    func discard(_ id: EventID, note: String, isDryRun: Bool, json: Bool) async -> ProcessExit {
        await perform("discard-dead-letter") { settings, pool, _ in
            let store = HeldStore()
            let (event, isDone) = try await pool.withTransaction { session in
                let event = try store.parked(session, HeldStore.Selection(eventID: id, limit: 1)).first
                return (event, try isDryRun || store.discard(session, eventID: id, note: note))
            }
            guard let event, isDone else {
                let finding =
                    event == nil
                    ? "is no dead letter of the relay of \(settings.source.rawValue)" : "is in the hands of a replay, for a minute at most"
                complain("\(OutboxRelay.name): \(id) \(finding)")
                return .failure
            }
            print(json ? ParkedText.json(event) : "\(isDryRun ? "would be discarded" : "discarded"): \(ParkedText.line(event))")
            return .success
        }
    }

    func replay(_ selection: HeldStore.Selection, isForced: Bool, isDryRun: Bool, json: Bool) async -> ProcessExit {
        await perform("replay-dead-letters") { settings, pool, context in
            let now = Self.now()
            let parked = try await pool.withSession { session in try HeldStore().parked(session, selection) }
            guard !isDryRun else {
                show(parked, json: json) { !isForced && $0.isTooOld(now) }
                return .success
            }
            return try await publishing(settings, context) { publisher in
                let replay = ReplayParked(source: settings.source.rawValue, pool: pool) { publications in await publisher.publish(publications) }
                var result = ReplayParked.Result()
                // What was done before the database went away is told too.
                defer { report(result, json: json) }
                try await replay.run(parked, isForced: isForced, now: now, &result) { result in
                    progress?(ParkedText.progress(result, of: parked.count))
                }
                guard result.left > 0 else { return result.isSuccess ? .success : .failure }
                let reason = publisher.status.hindrance ?? "no event is confirmed in time"
                throw UnreachableDependency(settings.broker.configuration, reason: reason)
            }
        }
    }

    private func show(_ parked: [HeldStore.Summary], json: Bool, isTooOld: (HeldStore.Summary) -> Bool) {
        for event in parked {
            let isTooOld = isTooOld(event)
            print(json ? ParkedText.json(event, isTooOld: isTooOld) : ParkedText.line(event, isTooOld: isTooOld))
        }
        let tooOld = parked.count(where: isTooOld)
        if !json { print("\(parked.count - tooOld) dead letters would be published; \(tooOld) too old (use --force)") }
    }

    private func report(_ result: ReplayParked.Result, json: Bool) {
        for failure in result.failures { print(json ? ParkedText.json(failure) : ParkedText.line(failure)) }
        for event in result.tooOld { print(json ? ParkedText.json(event, isTooOld: true) : ParkedText.line(event, isTooOld: true)) }
        print(json ? ParkedText.json(result) : ParkedText.line(result))
        guard !result.tooOld.isEmpty else { return }
        complain("\(OutboxRelay.name): \(result.tooOld.count) are older than \(ReplayAge.text); check --dry-run, then use --force")
    }

    /// Looks at the environment, the database and its schema, and does something with them.
    private func perform(
        _ command: String, _ work: @Sendable (OutboxRelayConfiguration, PostgresPool, ProcessContext) async throws -> ProcessExit
    ) async -> ProcessExit {
        await OutboxRelay.perform(environment: environment, context: context, complain: complain) { settings, context in
            try await settings.database.withPool(as: "\(OutboxRelay.name) \(command)", connections: 1, context.logger) { pool in
                try await work(settings, pool, context)
            }
        }
    }

    /// Lends a publisher that is connected.
    /// - Throws: ``UnreachableDependency`` when the broker does not let it in.
    private func publishing<Value: Sendable>(
        _ settings: OutboxRelayConfiguration, _ context: ProcessContext, _ body: @Sendable (AMQPPublisher) async throws -> Value
    ) async throws -> Value {
        let publisher = try AMQPPublisher(
            configuration: settings.broker.configuration, name: "\(settings.source.rawValue)-replay",
            options: OutboxRelay.publisherOptions(RelayTiming()), logger: context.logger, metrics: context.metrics)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await publisher.run() }
            defer { group.cancelAll() }
            let deadline = ContinuousClock.now + Self.connectLimit
            while !publisher.status.isOpen {
                guard ContinuousClock.now < deadline else {
                    throw UnreachableDependency(settings.broker.configuration, reason: publisher.status.hindrance)
                }
                try await Task.sleep(for: .milliseconds(20))
            }
            return try await body(publisher)
        }
    }
}
