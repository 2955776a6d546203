import AMQP
import ArgumentParser
import Contracts
import EventBroker
import Observability
import Outbox
import Postgres
import ServiceDatabase
import ServiceRuntime

/// The dead letters of a relay: events that it could not publish.
struct RelayDeadLetterCommands: DeadLetterCommands {
    static let help = DeadLetterHelp(
        list: "List events that could not be published, without their data.",
        replay: "Publish dead letters again.",
        replayDiscussion: "Events claimed by another replay, including one interrupted less than a minute ago, are skipped.",
        discardDiscussion: "It is deleted with the published events (OUTBOX_RETENTION_DAYS).")

    let environment: [String: String]
    var context: ContextSource = ProcessContext.ofCommand
    /// Results, for machines and people: standard output.
    let print: @Sendable (_ line: String) -> Void
    /// Progress lines on standard error; nil when it is not a terminal.
    var progress: (@Sendable (_ line: String) -> Void)?
    var reportError: @Sendable (_ line: String) -> Void = StandardError.write(line:)

    private static let connectLimit = Duration.seconds(10)

    /// With the process's own environment, output and terminal.
    static func ofProcess(_ source: SourceOption) -> Self {
        Self(environment: source.environment, print: { line in Swift.print(line) }, progress: StandardError.toTerminal)
    }

    func list(_ filter: DeadLetterFilter, json: Bool) async -> ProcessExit {
        await perform("list-dead-letters") { settings, pool, _ in
            let letters = try await pool.withSession { session in try DeferredEventStore().deadLetters(session, filter) }
            for line in DeadLetterText.listing(letters, of: settings.source.rawValue, limit: filter.limit, json: json) { print(line) }
            return .success
        }
    }

    func discard(_ filter: DeadLetterFilter, by person: String, note: String, isDryRun: Bool, json: Bool) async -> ProcessExit {
        await perform("discard-dead-letter") { settings, pool, _ in
            let store = DeferredEventStore()
            let (found, isDone) = try await pool.withTransaction { session in
                let found = try store.deadLetters(session, filter).first
                guard let id = found?.eventID, !isDryRun else { return (found, found != nil) }
                let note = "\(note) (\(person))"
                return (found?.discarded(note: note), try store.discard(session, eventID: id, note: note))
            }
            guard let found, isDone else {
                let finding = found == nil ? DeadLetterText.noneOpen : "another run is replaying it, for a minute at most"
                reportError("\(OutboxRelay.name): \(finding)")
                return .failure
            }
            print(json ? DeadLetterText.json(found) : DeadLetterText.table([found]).last ?? "")
            return .success
        }
    }

    func replay(_ filter: DeadLetterFilter, _ options: RelayReplayOptions, isForced: Bool, json: Bool) async -> ProcessExit {
        await perform("replay-dead-letters") { settings, pool, context in
            let now = Timestamp.now()
            let letters = try await pool.withSession { session in try DeferredEventStore().deadLetters(session, filter) }
            guard !letters.isEmpty || !filter.namesOne else {
                reportError("\(OutboxRelay.name): \(DeadLetterText.noneOpen)")
                return .failure
            }
            guard !options.dryRun else {
                show(letters, json: json) { !isForced && $0.isTooOld(now) }
                return .success
            }
            return try await publishing(settings, context) { publisher in
                let replay = RepublishDeadLetters(source: settings.source.rawValue, pool: pool) { publications in
                    await publisher.publish(publications)
                }
                var result = RepublishDeadLetters.Result()
                // What was done before the database became unreachable is reported too.
                defer { report(result, of: letters.count, json: json) }
                try await replay.run(letters, isForced: isForced, now: now, &result) { result in
                    progress?(DeadLetterText.progress(result, of: letters.count))
                }
                guard result.left > 0 else { return result.isSuccess ? .success : .failure }
                let reason = publisher.status.unusableReason ?? "no event is confirmed in time"
                throw UnreachableDependency(settings.broker.configuration, reason: reason)
            }
        }
    }

    private func show(_ letters: [DeadLetterSummary], json: Bool, isTooOld: (DeadLetterSummary) -> Bool) {
        for letter in letters {
            let isTooOld = isTooOld(letter)
            print(json ? DeadLetterText.json(letter, isTooOld: isTooOld) : DeadLetterText.line(letter, isTooOld: isTooOld))
        }
        let tooOld = letters.count(where: isTooOld)
        if !json { print("\(letters.count - tooOld) would be replayed; \(tooOld) too old (use --force)") }
    }

    private func report(_ result: RepublishDeadLetters.Result, of selected: Int, json: Bool) {
        for line in DeadLetterText.lines(result, of: selected, json: json) { print(line) }
        guard !result.tooOld.isEmpty else { return }
        reportError("\(OutboxRelay.name): \(result.tooOld.count) are older than \(ReplayAge.text); check --dry-run, then use --force")
    }

    /// Checks the environment, the database and its schema, and runs the command with them.
    private func perform(
        _ command: String, _ work: @Sendable (OutboxRelayConfiguration, PostgresPool, ProcessContext) async throws -> ProcessExit
    ) async -> ProcessExit {
        await OutboxRelay.perform(environment: environment, context: context, reportError: reportError) { settings, context in
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
                    throw UnreachableDependency(settings.broker.configuration, reason: publisher.status.unusableReason)
                }
                try await Task.sleep(for: .milliseconds(20))
            }
            return try await body(publisher)
        }
    }
}

/// The options that a relay's replay has.
struct RelayReplayOptions: ParsableArguments {
    @Flag(help: "Show what would be published; change nothing.")
    var dryRun = false
}
