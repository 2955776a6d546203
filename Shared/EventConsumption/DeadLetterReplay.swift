package import Contracts
package import EventBroker
internal import Logging
internal import Observability
package import Postgres
internal import ServiceRuntime

/// Replays a consumer's dead letters through its own handlers, in this process; no broker is needed.
///
/// Each is one transaction: the note that the event is processed, its effect, and the mark that it was replayed. So it is done once,
/// whoever else replays or consumes the same event meanwhile.
package struct DeadLetterReplay: Sendable {
    package struct Options: Sendable, Hashable {
        package var filter: DeadLetterFilter
        /// After that many the run stops, for the operator to look at what they did.
        package var canary: Int?
        /// Per second; nil is as fast as they go.
        package var rate: Double?
        /// Runs the handlers and rolls everything back; recorded nowhere.
        package var isDryRun: Bool
        /// Takes those too that are older than ``ReplayAge/maximum``.
        package var isForced: Bool
        /// Takes those too that their producer's relay did not publish: somebody has found them in the producer's outbox.
        package var isVouchedFor: Bool
        package var requestedBy: String
        package var note: String?

        package init(
            filter: DeadLetterFilter = DeadLetterFilter(), canary: Int? = nil, rate: Double? = nil, isDryRun: Bool = false,
            isForced: Bool = false, isVouchedFor: Bool = false, requestedBy: String, note: String? = nil
        ) {
            self.filter = filter
            self.canary = canary
            self.rate = rate
            self.isDryRun = isDryRun
            self.isForced = isForced
            self.isVouchedFor = isVouchedFor
            self.requestedBy = requestedBy
            self.note = note
        }
    }

    /// More failures in a row than that, and the cause is not fixed: the run stops.
    package static let circuitLimit = 10

    private let subscription: EventSubscription
    private let pool: PostgresPool
    private let keys: DeadLetterKeys
    private let application: EventApplication
    private let repository: DeadLetterRepository
    private let runs: ReplayRuns
    private let now: @Sendable () -> Timestamp

    package init(
        subscription: EventSubscription, pool: PostgresPool, keys: DeadLetterKeys,
        transaction: TransactionOptions = EventConsumerOptions().transaction, now: @escaping @Sendable () -> Timestamp = Timestamp.now
    ) {
        self.subscription = subscription
        self.pool = pool
        self.keys = keys
        application = EventApplication(subscription, transaction: transaction)
        repository = DeadLetterRepository(consumer: subscription.name)
        runs = ReplayRuns(consumer: subscription.name)
        self.now = now
    }

    /// - Throws: `PostgresError`.
    package func plan(_ filter: DeadLetterFilter) async throws -> ReplayPlan {
        let time = now()
        return try await pool.withSession { session in
            let letters = try repository.list(filter, session)
            let prospects = try repository.prospects(of: letters.map(\.id), session)
            return ReplayPlan(items: letters.map { ReplayPlan.Item($0, prospects[$0.id] ?? DeadLetterRepository.Prospect(), now: time) })
        }
    }

    /// Replays what fits, oldest event first, each once.
    ///
    /// - Parameter report: Called with each result as soon as it is known.
    /// - Throws: `PostgresError` when the database can't be used, `CancellationError`; what was replayed before stays so.
    package func run(
        _ options: Options, report: (_ item: ReplayPlan.Item, _ result: ReplayResult, _ summary: ReplaySummary) -> Void
    ) async throws -> ReplaySummary {
        let plan = try await plan(options.filter)
        var summary = ReplaySummary(selected: plan.items.count)
        guard !plan.items.isEmpty else { return summary }
        if !options.isDryRun {
            summary.run = try await pool.withTransaction { session in
                try runs.begin(options, plan, session)
            }
        }
        do {
            try await replay(plan, options, &summary, report)
            let taken = summary.takenLetters
            summary.takenStillOpen = try await pool.withSession { session in try repository.open(among: taken, session) }
        } catch {
            // Where the database is gone this fails too, and the run stays without an end.
            try? await end(summary.run, .interrupted)
            throw error
        }
        try await end(summary.run, summary.ending)
        return summary
    }

    private func replay(
        _ plan: ReplayPlan, _ options: Options, _ summary: inout ReplaySummary,
        _ report: (ReplayPlan.Item, ReplayResult, ReplaySummary) -> Void
    ) async throws {
        var failuresInARow = 0
        let began = ContinuousClock.now
        for item in plan.items {
            try Task.checkCancellation()
            if let rate = options.rate { try await ContinuousClock().sleep(until: began + .seconds(Double(summary.tried) / rate)) }
            let result = try await replay(item, options, run: summary.run)
            summary.count(result, of: item.letter.id)
            report(item, result, summary)
            failuresInARow = result.isFailure ? failuresInARow + 1 : result.isTried ? 0 : failuresInARow
            if failuresInARow >= Self.circuitLimit {
                summary.ending = .circuitOpen
                return
            }
            if let canary = options.canary, summary.tried >= canary {
                summary.ending = .canary
                return
            }
        }
    }

    private func replay(_ item: ReplayPlan.Item, _ options: Options, run: Int64?) async throws -> ReplayResult {
        guard options.isForced || !item.isTooOld else { return try await noted(.tooOld, run) }
        do {
            return try await pool.withTransaction(application.transaction) { session in
                let result = try applyOne(item.letter.id, options, run: run, session)
                if options.isDryRun { throw DryRunEnd(result: result) }
                return result
            }
        } catch let end as DryRunEnd {
            return end.result
        } catch {
            let failure: EventFailure
            switch FailureDiagnosis(error) {
            case .failure(let known): failure = known
            case .conflict: failure = .transient("it collided with other transactions too often")
            case .outage, .cancelled: throw error
            }
            guard let run else { return .failed(failure) }
            try await pool.withTransaction { session in
                try repository.failedAgain(item.letter.id, failure, run: run, session)
                try runs.count(.failed(failure), run: run, session)
            }
            return .failed(failure)
        }
    }

    private func applyOne(_ id: Int64, _ options: Options, run: Int64?, _ session: PostgresSession) throws -> ReplayResult {
        guard let stored = try repository.take(id, session) else { return try counted(.taken, run, session) }
        let result: ReplayResult
        let raw = try stored.opened(keys, consumer: subscription.name, isVouchedFor: options.isVouchedFor)
        switch subscription.read(raw, now: now()) {
        case .failed(let failure, _): throw failure
        case .ignored: result = .ignored
        case .event(let event): result = try application.apply([event], within: session).isEmpty ? .alreadyApplied : .replayed
        }
        try repository.settle(id, as: .replayed, run: run, by: options.requestedBy, note: options.note, session)
        return try counted(result, run, session)
    }

    private func counted(_ result: ReplayResult, _ run: Int64?, _ session: PostgresSession) throws -> ReplayResult {
        if let run { try runs.count(result, run: run, session) }
        return result
    }

    private func noted(_ result: ReplayResult, _ run: Int64?) async throws -> ReplayResult {
        try await pool.withTransaction { session in try counted(result, run, session) }
    }

    private func end(_ run: Int64?, _ ending: ReplaySummary.Ending) async throws {
        guard let run else { return }
        try await pool.withTransaction { session in try runs.end(run, ending, session) }
    }
}

/// Rolls a transaction back that went well.
private struct DryRunEnd: Error {
    let result: ReplayResult
}
