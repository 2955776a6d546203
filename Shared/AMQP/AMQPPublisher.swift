package import CoreMetrics
package import Logging
internal import ServiceLifecycle
internal import Synchronization

/// Publishes messages and tells what became of each: confirmed, unroutable, nacked, or unknown because the connection went away.
///
/// It has one connection, with a thread of its own, which it keeps up as long as `run()` runs. Messages handed over while there is no
/// connection, or while the broker asked for silence (`connection.blocked`), wait for it up to their time-out. Those of one call are sent in
/// their order, and calls in the order they came.
package final class AMQPPublisher: Service {
    let configuration: AMQPConfiguration
    let name: String
    let topology: AMQPTopology
    let options: PublisherOptions
    let logger: Logger
    let metrics: PublisherMetrics
    let watchdog: CallWatchdog
    let wakeUp: WakeUp
    private let inbox = Mutex(Inbox())
    private let currentStatus = Mutex(AMQPConnectionStatus())

    struct Queued: Sendable {
        let publication: AMQPPublication
        let ticket: PublishTicket
        let deadline: ContinuousClock.Instant
        /// The channel on which it may be sent, and on no later one; nil for any.
        let generation: Int?
    }

    private struct Inbox {
        var arrived: [Queued] = []
        /// Not yet sent, those that the thread has taken included.
        var queued = 0
        var hasStarted = false
        var isClosing = false
    }

    /// - Parameters:
    ///   - name: of the connection at the broker, and of this client in metrics.
    ///   - topology: declared on each new connection, before anything is published.
    /// - Throws: `connectFailed` when the process has no descriptors left.
    package init(
        configuration: AMQPConfiguration, name: String, topology: AMQPTopology = AMQPTopology(), options: PublisherOptions = PublisherOptions(),
        logger: Logger, metrics: any MetricsFactory = MetricsSystem.factory
    ) throws(AMQPError) {
        self.configuration = configuration
        self.name = name
        self.topology = topology
        self.options = options
        self.logger = logger
        self.metrics = PublisherMetrics(client: name, factory: metrics)
        watchdog = CallWatchdog(limit: options.stallLimit)
        wakeUp = try WakeUp()
    }

    package var status: AMQPConnectionStatus { currentStatus.withLock { $0 } }

    /// Publishes one message, persistent or not as it says, and waits for its outcome, `publishTimeout` at most.
    package func publish(_ publication: AMQPPublication) async -> PublishOutcome {
        await publish([publication]).first ?? .notSent(.closed)
    }

    /// Publishes messages in this order and waits for all outcomes, `publishTimeout` at most.
    ///
    /// Always `mandatory`: a message that no queue wants is an outcome, never silence. A cancelled task gets `cancelled` for
    /// what is not settled yet.
    /// - Returns: one outcome per message, in their order.
    package func publish(_ publications: [AMQPPublication]) async -> [PublishOutcome] {
        await submit(publications).outcomes()
    }

    /// Hands messages over, to be published in this order and after those of earlier calls; returns at once.
    ///
    /// - Parameter generation: Of ``status``, when the messages may only be sent on that channel: what is not sent before the channel is
    ///   gone gets `connectionChanged`. So a caller who must keep an order sends the lost ones first, on the next channel.
    /// - Returns: by which the outcomes are awaited; somebody must.
    package func submit(_ publications: [AMQPPublication], onGeneration generation: Int? = nil) -> PublishReceipt {
        let batch = PublishBatch(count: publications.count)
        submit(publications, to: batch, onGeneration: generation)
        return PublishReceipt(publisher: self, batch: batch, deadline: .now + options.publishTimeout)
    }

    /// Waits for the outcomes of a batch.
    func outcomes(of batch: PublishBatch, until deadline: ContinuousClock.Instant) async -> [PublishOutcome] {
        await withTaskCancellationHandler {
            async let _ = expire(batch, at: deadline)
            return await batch.outcomes()
        } onCancel: {
            giveUp(batch, sent: .cancelled, waiting: .cancelled)
        }
    }

    /// The connection's thread sees to deadlines too, but may be busy connecting.
    private func expire(_ batch: PublishBatch, at deadline: ContinuousClock.Instant) async {
        guard (try? await Task.sleep(until: deadline)) != nil else { return }
        giveUp(batch, sent: .timedOut, waiting: status.blockedReason.map { .blocked($0) } ?? .timedOut)
    }

    private func giveUp(_ batch: PublishBatch, sent doubt: PublishOutcome.Doubt, waiting reason: PublishOutcome.NotSentReason) {
        for outcome in batch.giveUp(sent: doubt, waiting: reason) { metrics.published(outcome) }
    }

    /// Connects and publishes until the graceful shutdown or cancellation; then waits for confirms, `drainTimeout` at most, and closes.
    /// - Throws: `closed` when it ran before.
    package func run() async throws {
        let isFirst = inbox.withLock { inbox in
            defer { inbox.hasStarted = true }
            return !inbox.hasStarted
        }
        guard isFirst else { throw AMQPError(.closed, "a publisher runs once") }
        defer { refuseTheRest() }
        try await ClientThread.run(watchdog: watchdog) {
            self.inbox.withLock { $0.isClosing = true }
            self.wakeUp.signal()
        } loop: {
            var loop = PublisherLoop(self)
            loop.run()
        }
    }

    /// Nobody sends any more, in whatever way `run()` ended.
    private func refuseTheRest() {
        inbox.withLock { $0.isClosing = true }
        for queued in takeArrived().messages { settle(queued.ticket, .notSent(.closed)) }
    }

    private func submit(_ publications: [AMQPPublication], to batch: PublishBatch, onGeneration generation: Int?) {
        let deadline = ContinuousClock.now + options.publishTimeout
        var accepted: [Queued] = []
        accepted.reserveCapacity(publications.count)
        for (index, publication) in publications.enumerated() {
            let ticket = PublishTicket(batch: batch, index: index)
            if let flaw = publication.flaw {
                settle(ticket, .notSent(.invalid(flaw)))
            } else if publication.message.body.count > options.maximumMessageBytes {
                settle(ticket, .notSent(.tooLarge))
            } else {
                accepted.append(Queued(publication: publication, ticket: ticket, deadline: deadline, generation: generation))
            }
        }
        let refusal: PublishOutcome.NotSentReason? = inbox.withLock { inbox in
            if inbox.isClosing { return .closed }
            if inbox.queued + accepted.count > options.maximumQueued { return .queueFull }
            inbox.queued += accepted.count
            inbox.arrived.append(contentsOf: accepted)
            return nil
        }
        if let refusal {
            for queued in accepted { settle(queued.ticket, .notSent(refusal)) }
        } else {
            wakeUp.signal()
        }
    }

    func settle(_ ticket: PublishTicket, _ outcome: PublishOutcome) {
        if ticket.batch.settle(ticket.index, outcome) { metrics.published(outcome) }
    }

    /// Takes what arrived since the last look.
    func takeArrived() -> (messages: [Queued], isClosing: Bool) {
        inbox.withLock { inbox in
            defer { inbox.arrived = [] }
            return (inbox.arrived, inbox.isClosing)
        }
    }

    var isClosing: Bool { inbox.withLock { $0.isClosing } }

    /// That many no longer wait to be sent.
    func leftQueue(_ count: Int) {
        guard count > 0 else { return }
        inbox.withLock { $0.queued -= count }
    }

    func update(_ status: AMQPConnectionStatus) {
        currentStatus.withLock { $0 = status }
    }
}

/// Messages that were handed to a publisher.
package struct PublishReceipt: Sendable {
    let publisher: AMQPPublisher
    let batch: PublishBatch
    let deadline: ContinuousClock.Instant

    /// Waits for all outcomes, `publishTimeout` from the hand-over at most; once.
    /// - Returns: one outcome per message, in their order.
    package func outcomes() async -> [PublishOutcome] { await publisher.outcomes(of: batch, until: deadline) }
}
