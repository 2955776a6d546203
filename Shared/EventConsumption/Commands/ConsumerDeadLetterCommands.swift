package import EventBroker
internal import FoundationEssentials
internal import Logging
internal import Postgres
internal import ServiceDatabase
package import ServiceRuntime

/// The dead letters of a consumer: events that its handlers could not apply.
package struct ConsumerDeadLetterCommands<Service: EventConsumingService>: DeadLetterCommands {
    package static var help: DeadLetterHelp {
        DeadLetterHelp(
            list: "List events that could not be applied, without their data.",
            replay: "Apply dead letters again with the service's handlers, each once.",
            replayDiscussion: "Run --plan first, then --canary 1, then replay the rest. After a killed run start another: what was replayed is not "
                + "replayed again.",
            discardDiscussion: "It stays in the database for 90 days.")
    }

    private let environment: [String: String]
    private let makeContext: ContextSource
    /// Results, for machines and people: standard output.
    private let print: @Sendable (_ line: String) -> Void
    /// Progress lines on standard error; nil when it is not a terminal.
    private let progress: (@Sendable (_ line: String) -> Void)?
    private let reportError: @Sendable (_ line: String) -> Void

    private static var connections: Int { 2 }
    private static var progressInterval: Duration { .seconds(1) }

    package init(
        environment: [String: String], context: @escaping ContextSource = ProcessContext.ofCommand,
        print: @escaping @Sendable (_ line: String) -> Void, progress: (@Sendable (_ line: String) -> Void)? = nil,
        reportError: @escaping @Sendable (_ line: String) -> Void = StandardError.write(line:)
    ) {
        self.environment = environment
        makeContext = context
        self.print = print
        self.progress = progress
        self.reportError = reportError
    }

    /// With the process's own environment, output and terminal.
    package static func ofProcess(_: NoOptions) -> Self {
        Self(environment: ProcessInfo.processInfo.environment, print: { line in Swift.print(line) }, progress: StandardError.toTerminal)
    }

    package func list(_ filter: DeadLetterFilter, json: Bool) async -> ProcessExit {
        await perform { subscription, pool in
            let repository = DeadLetterRepository(consumer: subscription.name)
            let letters = try await pool.withSession { session in try repository.list(filter, session) }
            for line in DeadLetterText.listing(letters, of: subscription.name, limit: filter.limit, json: json) { print(line) }
            return .success
        }
    }

    package func replay(
        _ filter: DeadLetterFilter, _ options: ConsumerReplayOptions, isForced: Bool, json: Bool
    ) async throws -> ProcessExit {
        guard !options.plan else { return await plan(filter, json: json) }
        let person = try OperatorText.person(named: options.requestedBy, environment, isRecorded: !options.dryRun)
        let run = DeadLetterReplay.Options(
            filter: filter, canary: options.canary, rate: options.rate, isDryRun: options.dryRun, isForced: isForced,
            isVouchedFor: options.genuine, requestedBy: person, note: options.note)
        return await replay(run, json: json)
    }

    package func plan(_ filter: DeadLetterFilter, json: Bool) async -> ProcessExit {
        await performWithKeys { subscription, pool, keys in
            let plan = try await DeadLetterReplay(subscription: subscription, pool: pool, keys: keys).plan(filter)
            for item in plan.items { print(json ? DeadLetterText.json(item) : DeadLetterText.line(item)) }
            if !json { print(DeadLetterText.line(plan)) }
            return found(filter, plan.items.count) ? .success : .failure
        }
    }

    package func replay(_ options: DeadLetterReplay.Options, json: Bool) async -> ProcessExit {
        await performWithKeys { subscription, pool, keys in
            let replay = DeadLetterReplay(subscription: subscription, pool: pool, keys: keys)
            var toldAt = ContinuousClock.now
            let summary = try await replay.run(options) { item, result, summary in
                print(json ? DeadLetterText.json(item.letter, result) : DeadLetterText.line(item.letter, result))
                guard let progress, ContinuousClock.now - toldAt >= Self.progressInterval else { return }
                toldAt = .now
                progress(DeadLetterText.progress(summary))
            }
            print(json ? DeadLetterText.json(summary) : DeadLetterText.line(summary, isDryRun: options.isDryRun))
            if summary.tooOld > 0 {
                reportError("\(Service.name): \(summary.tooOld) are older than \(ReplayAge.text); check --plan, then use --force")
            }
            if summary.takenStillOpen > 0 {
                reportError("\(Service.name): another run is replaying \(summary.takenStillOpen) of them; replay again when it has ended")
            }
            if summary.ending == .circuitOpen {
                reportError("\(Service.name): stopped after \(DeadLetterReplay.circuitLimit) failures in a row; the cause is not fixed")
            }
            return found(options.filter, summary.selected) && summary.isSuccess ? .success : .failure
        }
    }

    package func discard(
        _ filter: DeadLetterFilter, by person: String, note: String, isDryRun: Bool, json: Bool
    ) async -> ProcessExit {
        await perform { subscription, pool in
            let repository = DeadLetterRepository(consumer: subscription.name)
            let letters = try await pool.withTransaction { session in
                let letters = try repository.list(filter, session)
                guard !isDryRun else { return letters }
                return try letters.filter { try repository.settle($0.id, as: .discarded, run: nil, by: person, note: note, session) }
                    .map { $0.discarded(note: note) }
            }
            for letter in letters {
                print(json ? DeadLetterText.json(letter) : DeadLetterText.table([letter]).last ?? "")
            }
            return found(filter, letters.count) ? .success : .failure
        }
    }

    /// Whether one is there if one was named; otherwise says so.
    private func found(_ filter: DeadLetterFilter, _ count: Int) -> Bool {
        guard filter.namesOne, count == 0 else { return true }
        reportError("\(Service.name): \(DeadLetterText.noneOpen)")
        return false
    }

    /// Looks at the environment, the database and its schema, and does something with them.
    private func perform(_ work: @Sendable (EventSubscription, PostgresPool) async throws -> ProcessExit) async -> ProcessExit {
        await Service.perform(environment: environment, context: makeContext, reportError: reportError) { settings, context in
            try await Self.lend(settings, context, work)
        }
    }

    /// The same for what opens the bodies of dead letters: their keys are read before anything is connected to.
    private func performWithKeys(
        _ work: @Sendable (EventSubscription, PostgresPool, DeadLetterKeys) async throws -> ProcessExit
    ) async -> ProcessExit {
        await Service.perform(environment: environment, context: makeContext, reportError: reportError) { settings, context in
            let keys = try settings.consumption.keys()
            return try await Self.lend(settings, context) { subscription, pool in try await work(subscription, pool, keys) }
        }
    }

    private static func lend(
        _ settings: Service.Settings, _ context: ProcessContext, _ work: @Sendable (EventSubscription, PostgresPool) async throws -> ProcessExit
    ) async throws -> ProcessExit {
        try await settings.database.withPool(as: "\(Service.name) dead letters", connections: connections, context.logger) { pool in
            try await work(try Service.subscription(settings, context), pool)
        }
    }
}
