internal import AMQP
internal import Contracts
internal import CoreMetrics
internal import FoundationEssentials
internal import Logging
internal import Metrics
internal import Postgres
internal import ServiceLifecycle

/// Takes deliveries batch by batch and settles each: applied, sent to wait, a dead letter, or given back.
///
/// A delivery is acknowledged only after what replaces it is durable: the commit of its effect, the broker's confirm of its copy, the
/// commit of its dead letter. What dies in between comes again and finds itself done.
struct DeliveryWorker {
    enum ExitReason: Sendable {
        case drained
        /// The database is away for too long, or the process ends: what was in hand went back. `hasApplied` says that something had been
        /// applied before.
        case gaveBack(hasApplied: Bool)
    }

    private let consumer: AMQPConsumer
    private let parts: ConsumptionParts
    private var failed: FailedDeliveries
    private var hasApplied = false

    /// A delivery that came back so often may be what the process died of.
    private static let suspiciousReturns = 3
    /// Single events that time out in a row speak for the rest of their batch.
    private static let tellingTimeOuts = 3

    /// What bounds the time for which a batch is in hand: what the broker hears nothing of for 30 minutes, it takes back.
    private struct TimeBudget {
        let deadline: ContinuousClock.Instant
        private var timeOuts = 0
        /// What the rest fails with, untried.
        private(set) var verdict: EventFailure?

        init(deadline: ContinuousClock.Instant) { self.deadline = deadline }

        mutating func note(_ outcome: Outcome) {
            guard case .failed(let failure, let state) = outcome, state?.isTimeOut ?? false else {
                timeOuts = 0
                return
            }
            timeOuts += 1
            if timeOuts == DeliveryWorker.tellingTimeOuts { verdict = failure }
        }
    }

    init(consumer: AMQPConsumer, parts: ConsumptionParts) {
        self.consumer = consumer
        self.parts = parts
        failed = FailedDeliveries(consumer: consumer, parts: parts)
    }

    /// Until the deliveries end.
    mutating func run() async -> ExitReason {
        while true {
            parts.metrics.state.waits()
            let (deliveries, hasEnded) = await next()
            if !deliveries.isEmpty {
                guard await take(deliveries) else {
                    failed.giveBackAll()
                    return .gaveBack(hasApplied: hasApplied)
                }
            }
            if hasEnded { break }
            guard await failed.tryAgain() else {
                failed.giveBackAll()
                return .gaveBack(hasApplied: hasApplied)
            }
        }
        _ = await failed.tryAgain(isLast: true)
        failed.giveBackAll()
        return .drained
    }

    /// The next batch; nothing when it is time to try held ones again.
    private func next() async -> (deliveries: [AMQPDelivery], hasEnded: Bool) {
        let limit = parts.options.batchLimit
        guard let due = failed.dueAt else {
            let batch = await consumer.deliveries.nextBatch(atMost: limit)
            return (batch, batch.isEmpty)
        }
        let deliveries = consumer.deliveries
        return await withTaskGroup(of: [AMQPDelivery]?.self) { group in
            group.addTask { await deliveries.nextBatch(atMost: limit) }
            group.addTask {
                try? await ContinuousClock().sleep(until: due)
                return nil
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            // What was handed over in the moment of the cancellation is in hand now.
            let second = await group.next() ?? nil
            let batch = (first ?? []) + (second ?? [])
            return (batch, batch.isEmpty && first != nil)
        }
    }

    /// Takes a batch at once, or one delivery after the other when one of them is suspected of making the process die.
    ///
    /// Those that were in hand then come back together, and the broker counts it against each. So that they don't all reach its limit with
    /// the one to blame, each is settled before the next, in another order each time.
    ///
    /// - Returns: false when it was interrupted; then everything of the batch was given back or settled.
    private mutating func take(_ deliveries: [AMQPDelivery]) async -> Bool {
        var budget = TimeBudget(deadline: .now + parts.options.outageLimit)
        guard deliveries.contains(where: { $0.message.headers[EventHeader.returns]?.integer ?? 0 >= Self.suspiciousReturns }) else {
            return await process(deliveries, &budget)
        }
        var rest = deliveries.shuffled()
        while let next = rest.popLast() {
            guard await process([next], &budget) else {
                for delivery in rest { consumer.reject(delivery.receipt, isRequeued: true) }
                parts.metrics.count(.givenBack, rest.count)
                return false
            }
            await consumer.settlementsSent()
        }
        return true
    }

    /// - Returns: false when it was interrupted; then everything of the batch was given back or settled.
    private mutating func process(_ deliveries: [AMQPDelivery], _ budget: inout TimeBudget) async -> Bool {
        let began = ContinuousClock.now
        var batch = deliveries.map { parts.read($0, batchSize: deliveries.count) }
        noteLag(batch)
        let isWhole = await apply(&batch, &budget)
        if isWhole {
            await failed.settle(&batch, until: budget.deadline)
        } else {
            for place in batch.indices { if case .failed = batch[place].state { batch[place].state = .giveBack } }
        }
        for undertaking in batch { settle(undertaking) }
        parts.metrics.batchSize.record(deliveries.count)
        parts.metrics.batchSeconds.record(duration: ContinuousClock.now - began)
        return isWhole && !batch.contains { if case .giveBack = $0.state { true } else { false } }
    }

    private func noteLag(_ batch: [PendingDelivery]) {
        let (times, now) = (batch.compactMap(\.facts.time), parts.now())
        parts.metrics.timesAhead.increment(by: Int64(times.count { EventOrigin.isAhead($0, now: now) }))
        // An event from the future has no age; a negative one would hide a lag.
        parts.metrics.state.took(
            lag: times.min().map { max(0, Double(now.microsecondsSinceUnixEpoch - $0.microsecondsSinceUnixEpoch) / 1_000_000) })
    }

    /// Applies the batch's events in one transaction; when that fails, one by one, so that a bad one takes no other with it.
    ///
    /// - Returns: false when it was interrupted.
    private mutating func apply(_ batch: inout [PendingDelivery], _ budget: inout TimeBudget) async -> Bool {
        let places = batch.indices.filter { if case .event = batch[$0].state { true } else { false } }
        if places.count > 1 {
            switch await apply(places, of: &batch, until: budget.deadline) {
            case .done: return true
            case .interrupted: return false
            case .failed: parts.metrics.isolations.increment()
            }
        }
        for place in places {
            if let verdict = budget.verdict {
                batch[place].state = .failed(verdict)
                continue
            }
            let outcome = await apply([place], of: &batch, until: budget.deadline)
            budget.note(outcome)
            switch outcome {
            case .done: break
            case .failed(let failure, _): batch[place].state = .failed(failure)
            case .interrupted: return false
            }
        }
        return true
    }

    private enum Outcome {
        case done
        case failed(EventFailure, SQLState?)
        case interrupted
    }

    private mutating func apply(_ places: [Int], of batch: inout [PendingDelivery], until deadline: ContinuousClock.Instant) async -> Outcome {
        let events: [DecodedEvent] = places.compactMap { if case .event(let event) = batch[$0].state { event } else { nil } }
        var new: Set<UUID>
        do throws(RetryingExecutor.ExecutionFailure) {
            new = try await parts.database.run(until: deadline) { try await parts.application.apply(events, on: parts.pool) }
        } catch {
            switch error {
            case .failed(let failure, let state): return .failed(failure, state)
            case .interrupted: return .interrupted
            }
        }
        hasApplied = true
        for (place, event) in zip(places, events) {
            // Of two deliveries of one event the first is the one that was applied.
            batch[place].state = .done(new.remove(event.envelope.id.uuid) == nil ? .duplicate : .applied)
        }
        return .done
    }

    private func settle(_ undertaking: PendingDelivery) {
        switch undertaking.state {
        case .done(let result):
            consumer.acknowledge(undertaking.delivery.receipt)
            parts.metrics.count(result)
            undertaking.span?.end(result.rawValue, failure: nil)
        case .event, .giveBack:
            consumer.reject(undertaking.delivery.receipt, isRequeued: true)
            parts.metrics.count(.givenBack)
            undertaking.span?.end(ConsumptionMetrics.Result.givenBack.rawValue, failure: nil)
        case .failed(let failure):
            // Settled, or held, by `FailedDeliveries`.
            undertaking.span?.end("failed", failure: failure)
        }
    }
}
