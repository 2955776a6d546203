internal import AMQP
internal import Concurrency
internal import Contracts
internal import CoreMetrics
internal import EventBroker
internal import Logging
internal import Postgres

/// Finds a place for what could not be applied: a queue in which it waits, or the dead letters. What finds none at once is held, without
/// keeping up those behind it.
struct FailedDeliveries {
    private enum Place: Sendable {
        case waiting(AMQPPublication, delay: Duration)
        case deadLetter(DeadLetter)
    }

    private struct Entry: Sendable {
        let delivery: AMQPDelivery
        let raw: RawMessage
        let facts: EventFacts
        let failure: EventFailure
        var place: Place

        /// For the log.
        var metadata: Logger.Metadata {
            facts.metadata.merging(
                ["error.class": "\(failure.kind.rawValue)", "error": "\(failure.reason)", "event.attempt": "\(raw.attempt)"]
            ) { $1 }
        }
    }

    private let consumer: AMQPConsumer
    private let parts: ConsumptionParts
    private var held: [Entry] = []
    private var round = 0
    /// Why events can't be sent to wait, as the log was told last.
    private var complaint: String?
    /// When held ones are tried again; nil while there are none.
    private(set) var dueAt: ContinuousClock.Instant?

    private static let backoff = Backoff(first: .milliseconds(500), maximum: .seconds(15))

    init(consumer: AMQPConsumer, parts: ConsumptionParts) {
        self.consumer = consumer
        self.parts = parts
    }

    /// Settles or holds each failed one of a batch. What an interruption leaves over is marked to be given back.
    mutating func settle(_ batch: inout [PendingDelivery], until deadline: ContinuousClock.Instant) async {
        var entries: [Entry] = []
        var places: [DeliveryReceipt: Int] = [:]
        for (index, undertaking) in batch.enumerated() {
            guard case .failed(let failure) = undertaking.state, isOurs(undertaking.delivery) else { continue }
            places[undertaking.delivery.receipt] = index
            entries.append(entry(undertaking, failure))
        }
        guard !entries.isEmpty else { return }
        let (left, isInterrupted) = await place(entries, until: deadline)
        if isInterrupted {
            for entry in left { if let index = places[entry.delivery.receipt] { batch[index].state = .giveBack } }
        } else {
            hold(left)
        }
    }

    /// What an earlier channel left unsettled the broker hands out again: it would only be doubled here.
    private func isOurs(_ delivery: AMQPDelivery) -> Bool { delivery.receipt.generation == consumer.status.generation }

    /// Tries those that are held and whose time has come.
    ///
    /// - Returns: false when it was interrupted.
    mutating func tryAgain(isLast: Bool = false) async -> Bool {
        guard let dueAt, isLast || dueAt <= .now else { return true }
        let current = held.filter { isOurs($0.delivery) }
        held = []
        self.dueAt = nil
        let (left, isInterrupted) = await place(current, until: .now + parts.options.outageLimit)
        round = left.isEmpty ? 0 : round
        hold(left)
        return !isInterrupted
    }

    /// At the end: the broker keeps them for whoever comes next.
    mutating func giveBackAll() {
        for entry in held { consumer.reject(entry.delivery.receipt, isRequeued: true) }
        parts.metrics.count(.givenBack, held.count)
        held = []
        dueAt = nil
        parts.metrics.state.set(held: 0)
    }

    private mutating func hold(_ entries: [Entry]) {
        if !entries.isEmpty {
            held += entries
            round += 1
            dueAt = .now + Self.backoff.pause(after: round)
        }
        parts.metrics.state.set(held: held.count)
    }

    private func entry(_ undertaking: PendingDelivery, _ failure: EventFailure) -> Entry {
        let raw = undertaking.raw
        if failure.kind == .transient, let delay = parts.options.retries.delay(afterAttempt: raw.attempt) {
            let message = EventHeader.retried(
                undertaking.delivery.message, of: raw, failure, as: parts.broker.user, now: parts.now())
            let queue = RetryPlan.queueName(of: parts.subscription.name, delay: delay)
            return Entry(
                delivery: undertaking.delivery, raw: raw, facts: undertaking.facts, failure: failure,
                place: .waiting(AMQPPublication(message, exchange: "", routingKey: queue), delay: delay))
        }
        return Entry(
            delivery: undertaking.delivery, raw: raw, facts: undertaking.facts, failure: failure,
            place: .deadLetter(DeadLetter(raw: raw, facts: undertaking.facts, failure: failure, failedAt: parts.now())))
    }

    /// - Returns: those that found no place.
    private mutating func place(_ entries: [Entry], until deadline: ContinuousClock.Instant) async -> (left: [Entry], isInterrupted: Bool) {
        let (waiting, refused) = await sendToWait(entries.filter { if case .waiting = $0.place { true } else { false } })
        let dead = entries.filter { if case .deadLetter = $0.place { true } else { false } } + refused
        let (unwritten, isInterrupted) = await bury(dead, until: deadline)
        return (waiting + unwritten, isInterrupted)
    }

    /// Publishes to the queues in which failed events wait, and acknowledges what the broker has confirmed.
    ///
    /// - Returns: those to try again, and those that can't be published as they are and become dead letters.
    private mutating func sendToWait(_ entries: [Entry]) async -> (left: [Entry], refused: [Entry]) {
        guard !entries.isEmpty else { return ([], []) }
        // The deliveries behind them would wait as long as the publisher does.
        let status = parts.retries.status
        guard status.isOpen, !status.isBlocked else {
            reportError(status.isOpen ? "blocked" : status.phase.rawValue)
            parts.metrics.retryPublishFailures.increment(by: entries.count)
            return (entries, [])
        }
        let publications: [AMQPPublication] = entries.compactMap { if case .waiting(let publication, _) = $0.place { publication } else { nil } }
        let outcomes = await parts.retries.publish(publications)
        var left: [Entry] = []
        var refused: [Entry] = []
        var isQueueMissing = false
        var trouble: String?
        for (var entry, outcome) in zip(entries, outcomes) {
            switch outcome {
            case .confirmed:
                acknowledgeRetry(entry)
                continue
            case .notSent(.invalid), .notSent(.tooLarge):
                entry.place = .deadLetter(
                    DeadLetter(raw: entry.raw, facts: entry.facts, failure: entry.failure, failedAt: parts.now()))
                refused.append(entry)
            case .unroutable, .nacked, .unknown, .notSent:
                if case .unroutable = outcome { isQueueMissing = true }
                trouble = outcome.label
                left.append(entry)
            }
            parts.metrics.retryPublishFailures.increment()
        }
        reportError(trouble)
        // Somebody deleted it.
        if isQueueMissing { await declare() }
        return (left, refused)
    }

    private func declare() async {
        do throws(AMQPError) {
            try await parts.topology.declare(on: parts.broker, name: "\(parts.subscription.name).topology")
        } catch {
            parts.logger.warning("the retry queues can't be declared", metadata: ["error": "\(error)"])
        }
    }

    /// Tells the log when it changes why events can't be sent to wait; nil when they can.
    private mutating func reportError(_ trouble: String?) {
        guard complaint != trouble else { return }
        complaint = trouble
        if let trouble {
            parts.logger.warning("failed events can't be sent to a retry queue and are kept", metadata: ["error": "\(trouble)"])
        } else {
            parts.logger.info("failed events reach the retry queues again")
        }
    }

    private func acknowledgeRetry(_ entry: Entry) {
        guard case .waiting(_, let delay) = entry.place else { return }
        consumer.acknowledge(entry.delivery.receipt)
        parts.metrics.count(.retried)
        parts.metrics.retried(after: delay)
        parts.logger.info("an event failed and will be retried", metadata: entry.metadata)
    }

    /// Writes dead letters, and acknowledges what is committed.
    ///
    /// - Returns: those that could not be written, and whether it was interrupted.
    private func bury(_ entries: [Entry], until deadline: ContinuousClock.Instant) async -> (left: [Entry], isInterrupted: Bool) {
        guard !entries.isEmpty else { return ([], false) }
        let letters: [DeadLetter] = entries.compactMap { if case .deadLetter(let letter) = $0.place { letter } else { nil } }
        switch await write(letters, until: deadline) {
        case .interrupted: return (entries, true)
        case .written:
            for entry in entries { acknowledgeDeadLetter(entry) }
            return ([], false)
        case .refused(let failure, let state?) where state.isTimeOut:
            // Written one by one they would wait for the same again.
            parts.logger.error("dead letters can't be written; the events are kept", metadata: ["error": "\(failure.reason)"])
            return (entries, false)
        case .refused: break
        }
        // One of them is to blame.
        var left: [Entry] = []
        for (index, entry) in entries.enumerated() {
            switch await writeAlone(letters[index], until: deadline) {
            case .written: acknowledgeDeadLetter(entry)
            case .interrupted: return (left + entries[index...], true)
            case .refused(let failure, _):
                let metadata = entry.facts.metadata.merging(["error": "\(failure.reason)"]) { $1 }
                parts.logger.error("a dead letter can't be written; the event is kept", metadata: metadata)
                left.append(entry)
            }
        }
        return (left, false)
    }

    private enum Writing {
        case written
        case refused(EventFailure, SQLState?)
        case interrupted
    }

    /// Writes one, and without what others wrote in it when that may be what is refused.
    private func writeAlone(_ letter: DeadLetter, until deadline: ContinuousClock.Instant) async -> Writing {
        let writing = await write([letter], until: deadline)
        guard case .refused(_, let state?) = writing, state.isAboutContent else { return writing }
        return await write([letter], isReduced: true, until: deadline)
    }

    private func write(_ letters: [DeadLetter], isReduced: Bool = false, until deadline: ContinuousClock.Instant) async -> Writing {
        do throws(RetryingExecutor.ExecutionFailure) {
            try await parts.database.run(until: deadline) {
                try await parts.pool.withTransaction(parts.options.transaction) { session in
                    if isReduced {
                        for letter in letters { try parts.deadLetters.recordReduced(letter, session) }
                    } else {
                        try parts.deadLetters.record(letters, session)
                    }
                }
            }
            return .written
        } catch {
            switch error {
            case .failed(let failure, let state): return .refused(failure, state)
            case .interrupted: return .interrupted
            }
        }
    }

    private func acknowledgeDeadLetter(_ entry: Entry) {
        consumer.acknowledge(entry.delivery.receipt)
        parts.metrics.count(.deadLettered)
        parts.metrics.deadLettered(entry.failure.kind)
        parts.logger.warning("an event was dead-lettered", metadata: entry.metadata)
    }
}
