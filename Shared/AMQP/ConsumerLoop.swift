internal import Concurrency
internal import CoreMetrics
internal import DequeModule
internal import Logging
internal import Outages

/// What a consumer's thread does: connects, subscribes, hands deliveries out, settles them, and begins again.
struct ConsumerLoop {
    private let consumer: AMQPConsumer
    private var ledger = SettlementLedger()
    private var settlings: Deque<AMQPConsumer.Settling> = []
    private var status = AMQPConnectionStatus()
    private var isClosing = false
    private var closingDeadline: ContinuousClock.Instant?
    private var subscribeAttempt = 0
    private var subscribeAt: ContinuousClock.Instant = .now
    private var outage = OutageLog()
    private var refusals = OutageLog()

    private static let tick = Duration.milliseconds(250)
    private static let shortestHeartbeatTick = Duration.milliseconds(100)

    init(_ consumer: AMQPConsumer) { self.consumer = consumer }

    mutating func run() {
        var attempt = 0
        while true {
            let started = ContinuousClock.now
            do throws(AMQPError) {
                report { $0.phase = .connecting }
                let session = try connect()
                try serve(session)
                session.close()
                return finish()
            } catch {
                lost(error)
            }
            attempt = ContinuousClock.now - started > ClientThread.goodLife ? 1 : attempt + 1
            guard rest(consumer.options.reconnectBackoff.pause(after: attempt)) else { return finish() }
        }
    }

    private mutating func connect() throws(AMQPError) -> AMQPSession {
        let opened = try OpenedConnection(consumer.configuration, name: consumer.name)
        let session = try AMQPSession(opened, watchdog: consumer.watchdog)
        try openChannel(of: session)
        subscribeAttempt = 0
        subscribeAt = .now
        consumer.metrics.connection.made.increment()
        _ = outage.succeeded()
        consumer.logger.info("connected to the broker", metadata: ["amqp.client": "\(consumer.name)"])
        report { status in
            status.phase = .open
            status.lastError = nil
        }
        return session
    }

    private mutating func openChannel(of session: AMQPSession) throws(AMQPError) {
        try session.openChannel()
        try begin(session)
    }

    /// A channel is new. Deliveries of the old one that nobody has taken are taken back: they come again.
    private mutating func begin(_ session: AMQPSession) throws(AMQPError) {
        try session.limitPrefetch(to: UInt16(consumer.options.prefetch))
        _ = consumer.arrived.removeAll()
        _ = ledger.opened()
    }

    /// Until the consumer is closed and drained.
    private mutating func serve(_ session: AMQPSession) throws(AMQPError) {
        let tick = session.heartbeat > .zero ? max(Self.shortestHeartbeatTick, min(Self.tick, session.heartbeat / 8)) : Self.tick
        while true {
            consumer.wakeUp.clear()
            takeSettlings()
            if isClosing, closingDeadline == nil { try beginClosing(session) }
            if !isClosing, !status.isSubscribed, subscribeAt <= .now { try subscribe(session) }
            while let event = try session.nextEvent() { try handle(event, session) }
            let isHeldUp = try settle(session)
            report { _ in }
            if let closingDeadline, ledger.count == 0 || closingDeadline < .now { return }
            session.wait(for: consumer.wakeUp, atMost: tick, isWriting: isHeldUp)
        }
    }

    private mutating func subscribe(_ session: AMQPSession) throws(AMQPError) {
        do throws(AMQPError) {
            try session.declare(consumer.topology)
            try session.subscribe(to: consumer.queue, consumerTag: consumer.name)
        } catch {
            guard error.kind == .channelClosed || error.kind == .topologyDrift else { throw error }
            if let failures = refusals.failed("\(error)") {
                consumer.logger.info(
                    "the broker refuses the subscription",
                    metadata: ["amqp.client": "\(consumer.name)", "error": "\(error)", "failures": "\(failures)"])
            }
            // After a drift the channel is a new one already.
            if error.kind == .channelClosed { try session.openChannel() }
            try begin(session)
            subscribeLater()
            report { $0.lastError = error }
            return consumer.tell(.refused(error))
        }
        subscribeAttempt = 0
        _ = refusals.succeeded()
        report { $0.isSubscribed = true }
        consumer.tell(.subscribed(generation: ledger.generation))
    }

    private mutating func subscribeLater() {
        subscribeAttempt += 1
        subscribeAt = .now + consumer.options.resubscribeBackoff.pause(after: subscribeAttempt)
    }

    private mutating func handle(_ event: IncomingEvent, _ session: AMQPSession) throws(AMQPError) {
        switch event {
        case .delivered(let delivered):
            // On its way while the subscription was ended: it goes back when the channel closes.
            guard !isClosing else { return }
            let receipt = ledger.delivered(tag: delivered.tag)
            consumer.metrics.deliveries.increment()
            if delivered.isRedelivered { consumer.metrics.redeliveries.increment() }
            consumer.arrived.append(
                AMQPDelivery(
                    message: delivered.message, exchange: delivered.exchange, routingKey: delivered.routingKey,
                    isRedelivered: delivered.isRedelivered, receipt: receipt))
        case .subscriptionCancelled:
            consumer.metrics.cancellations.increment()
            consumer.logger.info("the broker ended the subscription", metadata: ["amqp.client": "\(consumer.name)"])
            report { $0.isSubscribed = false }
            consumer.tell(.cancelledByBroker)
            subscribeLater()
        case .channelClosed(let error):
            consumer.metrics.connection.channelsClosed.increment()
            consumer.logger.info("the broker closed the channel", metadata: ["amqp.client": "\(consumer.name)", "error": "\(error)"])
            report { status in
                status.isSubscribed = false
                status.lastError = error
            }
            consumer.tell(.lost(error))
            try session.answerChannelClose()
            try openChannel(of: session)
            subscribeLater()
        case .connectionClosed(let error):
            throw error
        case .blocked(let reason):
            report { $0.blockedReason = reason }
        case .unblocked:
            report { $0.blockedReason = nil }
        case .confirmed, .nacked, .returned:
            break
        }
    }

    /// - Returns: whether the socket takes nothing more now, although there is something to settle.
    private mutating func settle(_ session: AMQPSession) throws(AMQPError) -> Bool {
        var sent = 0
        defer { consumer.sent(sent) }
        while let next = settlings.first {
            guard session.isWritable else { return true }
            settlings.removeFirst()
            sent += 1
            let count = ledger.settle(next.receipt, isMultiple: next.isMultiple)
            guard count > 0 else {
                consumer.metrics.staleSettlements.increment()
                continue
            }
            switch next.verdict {
            case .acknowledge:
                try session.acknowledge(tag: next.receipt.tag, isMultiple: next.isMultiple)
                consumer.metrics.acknowledged.increment(by: count)
            case .reject(let isRequeued):
                try session.reject(tag: next.receipt.tag, isMultiple: next.isMultiple, isRequeued: isRequeued)
                consumer.metrics.rejected.increment(by: count)
            }
        }
        return false
    }

    private mutating func beginClosing(_ session: AMQPSession) throws(AMQPError) {
        closingDeadline = .now + consumer.options.drainTimeout
        if status.isSubscribed { try session.unsubscribe(consumerTag: consumer.name) }
        report { $0.isSubscribed = false }
        // What nobody has taken goes back with the channel; only what is in hand is waited for.
        for delivery in consumer.arrived.removeAll() { _ = ledger.settle(delivery.receipt, isMultiple: false) }
        consumer.arrived.end()
    }

    private mutating func lost(_ error: AMQPError) {
        consumer.metrics.connection.failures.increment()
        if let failures = outage.failed("\(error)") {
            consumer.logger.info(
                "no connection to the broker", metadata: ["amqp.client": "\(consumer.name)", "error": "\(error)", "failures": "\(failures)"])
        }
        _ = consumer.arrived.removeAll()
        ledger.lost()
        if status.isOpen { consumer.tell(.lost(error)) }
        report { status in
            status.phase = .connecting
            status.isSubscribed = false
            status.blockedReason = nil
            status.lastError = error
        }
    }

    /// A pause before the next attempt.
    /// - Returns: false when the consumer closes.
    private mutating func rest(_ pause: Duration) -> Bool {
        let end = ContinuousClock.now + pause
        while true {
            consumer.wakeUp.clear()
            takeSettlings()
            if isClosing { return false }
            let now = ContinuousClock.now
            guard now < end else { return true }
            consumer.wakeUp.wait(atMost: min(Self.tick, end - now))
        }
    }

    private mutating func takeSettlings() {
        let taken = consumer.takeSettlings()
        settlings.append(contentsOf: taken.settlings)
        if taken.isClosing { isClosing = true }
    }

    private mutating func finish() {
        consumer.arrived.end()
        report { status in
            status.phase = .closed
            status.isSubscribed = false
        }
    }

    /// Tells the world when something changed.
    private mutating func report(_ change: (inout AMQPConnectionStatus) -> Void) {
        let before = status
        change(&status)
        status.generation = ledger.generation
        status.unsettled = ledger.count
        guard status != before else { return }
        consumer.update(status)
        consumer.metrics.connection.connected.record(status.isOpen ? 1 : 0)
        consumer.metrics.unsettled.record(status.unsettled)
    }
}
