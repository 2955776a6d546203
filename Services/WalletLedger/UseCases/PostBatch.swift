import Contracts
import FoundationEssentials
import HTTPService
import Idempotency
import Metrics
import Postgres
import ServiceDatabase

/// Posts a batch: one transaction, two round trips, every outcome of its own.
///
/// Lock, decide in arrival order, write, commit; only then is anything answered. A refusal never fails its neighbours.
struct PostBatch {
    private let store = BatchStore()
    private let clock: ClockWitness
    private let walletsAhead = Counter(label: "ledger_wallets_ahead_total")

    init(clock: ClockWitness) {
        self.clock = clock
    }

    /// - Parameter meanwhile: runs while the server takes the batch's locks.
    /// - Returns: the outcomes, in the order of the requests.
    /// - Throws: `PostgresError`; nothing is posted then, unless the connection was lost in COMMIT. ``ClockDisagreement`` when the
    ///   server's clock can't be believed; nothing is posted.
    func run(
        _ session: PostgresSession, _ requests: [PostingRequest], lockTimeout: Duration = BatchStore.lockTimeout,
        meanwhile: () -> Void = {}
    ) throws -> [PostingOutcome] {
        session.limit = .within(BatchStore.transactionTimeout)
        do {
            return try runTransaction(session, requests, lockTimeout: lockTimeout, meanwhile: meanwhile)
        } catch {
            session.rollback()
            throw error
        }
    }

    /// A decision that still lacks what the batch learns later: its time, or the rows of an earlier one.
    private enum Decision {
        case decided(LedgerDecision)
        case refused(Refusal, requestID: String, isReplay: Bool)
        case recorded(RecordedOutcome)
        case keyReused(pointer: String)
        /// Same key and request as an earlier one of this batch.
        case sameAs(index: Int)
    }

    private func runTransaction(
        _ session: PostgresSession, _ requests: [PostingRequest], lockTimeout: Duration, meanwhile: () -> Void
    ) throws -> [PostingOutcome] {
        let askedAt = clock.willAsk()
        var locked = try store.lock(session, requests, lockTimeout: lockTimeout, meanwhile: meanwhile)
        try clock.check(locked.clock, askedAt: askedAt)
        let times = PostingTimes(clock: locked.clock)
        try setBackWallets(ahead: times, &locked, session)
        var batch = LedgerBatch(
            wallets: locked.wallets, refunded: locked.refunded, holds: locked.holds, references: locked.references, times: times)
        var write = BatchWrite(clock: locked.clock)
        let decisions = decide(requests, records: locked.keys, in: &batch, into: &write)

        write.append(
            batch.changedWallets.sorted().compactMap { id in
                guard let state = batch.wallets[id], let before = locked.wallets[id] else { return nil }
                return (state, before.version)
            })
        let recorded = try RecordedAnswers(
            session,
            of: decisions.compactMap { decision in
                if case .recorded(let outcome) = decision { outcome } else { nil }
            })
        try store.commit(session, write)

        return try requests.indices.map { index in
            try outcome(of: index, requests, decisions, recorded, OutcomeView(wallets: locked.wallets))
        }
    }

    /// A wallet whose last time a wrong clock has put ahead goes back to the time of its last entry: only entries are asked for by time.
    private func setBackWallets(ahead times: PostingTimes, _ locked: inout BatchStore.Locked, _ session: PostgresSession) throws {
        let ahead = locked.wallets.values.filter(times.isAhead)
        guard !ahead.isEmpty else { return }
        walletsAhead.increment(by: ahead.count)
        let entryTimes = try store.lastEntryTimes(session, ahead.map(\.id))
        for var wallet in ahead {
            wallet.lastPostedAt = entryTimes[wallet.id] ?? wallet.openedAt
            locked.wallets[wallet.id] = wallet
        }
    }

    private func decide(
        _ requests: [PostingRequest], records: [UUID: IdempotencyRecord<RecordedOutcome>], in batch: inout LedgerBatch, into write: inout BatchWrite
    ) -> [Decision] {
        var decisions: [Decision] = []
        decisions.reserveCapacity(requests.count)
        var firstUse: [UUID: Int] = [:]
        for (index, request) in requests.enumerated() {
            if let key = request.key?.id, let known = records[key] {
                decisions.append(repeated(request, known))
                continue
            }
            if let key = request.key?.id, let first = firstUse[key] {
                let pointer = request.fingerprint.firstDifference(from: requests[first].fingerprint)
                decisions.append(pointer.map { .keyReused(pointer: $0) } ?? .sameAs(index: first))
                continue
            }
            do throws(Refusal) {
                let decision = try batch.decide(request.order)
                write.append(decision, request)
                if let key = request.key?.id { firstUse[key] = index }
                decisions.append(.decided(decision))
            } catch {
                // What does not exist may exist later: such a refusal leaves the key free.
                if error.rejection != .notFound, let key = request.key?.id {
                    write.append(error, request)
                    firstUse[key] = index
                }
                decisions.append(.refused(error, requestID: request.requestID, isReplay: false))
            }
        }
        return decisions
    }

    private func repeated(_ request: PostingRequest, _ known: IdempotencyRecord<RecordedOutcome>) -> Decision {
        if let pointer = request.firstDifference(from: known.fingerprint) { return .keyReused(pointer: pointer) }
        switch known.outcome {
        case .posted, .batchPosted, .holdPlaced, .holdVoided: return .recorded(known.outcome)
        case .refused(let refusal, let requestID):
            return .refused(refusal.naming(itemOf: request.order), requestID: requestID, isReplay: true)
        case .walletOpened, .walletChanged, .batchTaken: return .keyReused(pointer: "/route")
        }
    }

    private func outcome(
        of index: Int, _ requests: [PostingRequest], _ decisions: [Decision], _ recorded: RecordedAnswers, _ view: OutcomeView
    ) throws -> PostingOutcome {
        let request = requests[index]
        switch decisions[index] {
        case .decided(let decision): return view.outcome(of: decision, for: request, isReplay: false)
        case .recorded(let outcome): return try recorded.outcome(of: outcome, for: request, view)
        case .refused(let refusal, let requestID, let isReplay):
            return .refused(refusal, requestID: requestID, isReplay: isReplay)
        case .keyReused(let pointer): return .keyReused(pointer: pointer)
        case .sameAs(let first):
            switch decisions[first] {
            case .decided(let decision): return view.outcome(of: decision, for: request, isReplay: true)
            case .refused(let refusal, let requestID, _): return .refused(refusal, requestID: requestID, isReplay: true)
            case .recorded, .keyReused, .sameAs: throw UnreadableRow(table: "idempotency_keys")
            }
        }
    }
}
