package import CoreMetrics
package import Logging
internal import ServiceLifecycle
internal import Synchronization

/// Takes messages from one queue and settles them.
///
/// It has one connection, with a thread of its own, which it keeps up as long as `run()` runs. A message is the broker's until it is
/// acknowledged; whatever goes wrong before, it comes again, marked as redelivered.
package final class AMQPConsumer: Service {
    let configuration: AMQPConfiguration
    let name: String
    let queue: String
    let topology: AMQPTopology
    let options: ConsumerOptions
    let logger: Logger
    let metrics: ConsumerMetrics
    let watchdog: CallWatchdog
    let wakeUp: WakeUp
    let arrived = DeliveryQueue()
    /// The deliveries, to be taken by one task or by several. Ends when the consumer shuts down.
    package var deliveries: AMQPDeliveries { AMQPDeliveries(queue: arrived) }
    /// What happens to the subscription, for one listener; the latest 64 wait.
    package let changes: AsyncStream<ConsumerChange>
    private let changed: AsyncStream<ConsumerChange>.Continuation
    private let inbox = Mutex(Inbox())
    private let currentStatus = Mutex(AMQPConnectionStatus())
    private static let changesKept = 64
    private static let sendingLook = Duration.milliseconds(1)

    struct Settling: Sendable {
        enum Verdict: Sendable {
            case acknowledge
            case reject(isRequeued: Bool)
        }

        let receipt: DeliveryReceipt
        let verdict: Verdict
        let isMultiple: Bool
    }

    private struct Inbox {
        var settlings: [Settling] = []
        /// Those that the thread has taken and not sent yet included.
        var unsent = 0
        var hasStarted = false
        var isClosing = false
    }

    /// - Parameters:
    ///   - name: of the connection and the subscription at the broker, and of this client in metrics.
    ///   - topology: declared on each new connection and before each new subscription.
    /// - Throws: `connectFailed` when the process has no descriptors left.
    package init(
        configuration: AMQPConfiguration, name: String, queue: String, topology: AMQPTopology = AMQPTopology(),
        options: ConsumerOptions = ConsumerOptions(), logger: Logger, metrics: any MetricsFactory = MetricsSystem.factory
    ) throws(AMQPError) {
        self.configuration = configuration
        self.name = name
        self.queue = queue
        self.topology = topology
        self.options = options
        self.logger = logger
        self.metrics = ConsumerMetrics(client: name, factory: metrics)
        watchdog = CallWatchdog(limit: options.stallLimit)
        wakeUp = try WakeUp()
        (changes, changed) = AsyncStream.makeStream(of: ConsumerChange.self, bufferingPolicy: .bufferingNewest(Self.changesKept))
    }

    package var status: AMQPConnectionStatus { currentStatus.withLock { $0 } }

    /// Tells the broker to forget the message; returns at once. Dropped when the delivery's channel is gone, or it was settled before.
    /// - Parameter isMultiple: with all deliveries before it on the same channel.
    package func acknowledge(_ receipt: DeliveryReceipt, isMultiple: Bool = false) {
        settle(Settling(receipt: receipt, verdict: .acknowledge, isMultiple: isMultiple))
    }

    /// Gives the message back; returns at once. Dropped as an acknowledgement is.
    /// - Parameters:
    ///   - isRequeued: whether it comes again, at once; otherwise it goes where the queue's dead letters go.
    ///   - isMultiple: with all deliveries before it on the same channel.
    package func reject(_ receipt: DeliveryReceipt, isRequeued: Bool, isMultiple: Bool = false) {
        settle(Settling(receipt: receipt, verdict: .reject(isRequeued: isRequeued), isMultiple: isMultiple))
    }

    /// Waits until the broker was told of everything that is settled, or can't be told over the connection that it came by.
    package func settlementsSent() async {
        while !Task.isCancelled, status.isOpen, inbox.withLock({ $0.unsent > 0 }) { try? await Task.sleep(for: Self.sendingLook) }
    }

    /// Connects and consumes until the graceful shutdown or cancellation; then takes nothing more, waits for deliveries in hand,
    /// `drainTimeout` at most, and closes.
    /// - Throws: `closed` when it ran before.
    package func run() async throws {
        let isFirst = inbox.withLock { inbox in
            defer { inbox.hasStarted = true }
            return !inbox.hasStarted
        }
        guard isFirst else { throw AMQPError(.closed, "a consumer runs once") }
        defer {
            arrived.end()
            changed.finish()
        }
        try await ClientThread.run(watchdog: watchdog) {
            self.inbox.withLock { $0.isClosing = true }
            self.wakeUp.signal()
        } loop: {
            var loop = ConsumerLoop(self)
            loop.run()
        }
    }

    private func settle(_ settling: Settling) {
        inbox.withLock { inbox in
            inbox.settlings.append(settling)
            inbox.unsent += 1
        }
        wakeUp.signal()
    }

    /// Takes what is to be settled since the last look.
    func takeSettlings() -> (settlings: [Settling], isClosing: Bool) {
        inbox.withLock { inbox in
            defer { inbox.settlings = [] }
            return (inbox.settlings, inbox.isClosing)
        }
    }

    /// That many were sent, or dropped.
    func sent(_ count: Int) {
        guard count > 0 else { return }
        inbox.withLock { $0.unsent -= count }
    }

    func tell(_ change: ConsumerChange) { changed.yield(change) }

    func update(_ status: AMQPConnectionStatus) {
        currentStatus.withLock { $0 = status }
    }
}
