internal import Concurrency
internal import CoreMetrics
internal import DequeModule
internal import Logging
internal import Outages

/// What a publisher's thread does: connects, hands messages to the broker, listens to its answers, and connects again.
struct PublisherLoop {
    private let publisher: AMQPPublisher
    private var window: ConfirmWindow<PublishTicket>
    private var queue: Deque<AMQPPublisher.Queued> = []
    private var status = AMQPConnectionStatus()
    private var closingDeadline: ContinuousClock.Instant?
    private var outage = OutageLog()

    /// Messages sent between two looks at what the broker says; each look is also what keeps librabbitmq from waiting for a dead peer.
    private static let burst = 32
    /// The longest wait without a look: heartbeats are served by looking.
    private static let tick = Duration.milliseconds(250)
    private static let shortestHeartbeatTick = Duration.milliseconds(100)

    init(_ publisher: AMQPPublisher) {
        self.publisher = publisher
        window = ConfirmWindow(capacity: publisher.options.maximumUnconfirmed)
    }

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
            guard rest(publisher.options.reconnectBackoff.pause(after: attempt)) else { return finish() }
        }
    }

    private mutating func connect() throws(AMQPError) -> AMQPSession {
        let opened = try OpenedConnection(publisher.configuration, name: publisher.name)
        let session = try AMQPSession(opened, watchdog: publisher.watchdog)
        try session.openChannel()
        try session.declare(publisher.topology)
        try session.selectConfirms()
        let generation = window.opened()
        publisher.metrics.connection.made.increment()
        _ = outage.succeeded()
        publisher.logger.info("connected to the broker", metadata: ["amqp.client": "\(publisher.name)", "amqp.generation": "\(generation)"])
        report { status in
            status.phase = .open
            status.lastError = nil
        }
        return session
    }

    /// Until the publisher is closed and drained.
    private mutating func serve(_ session: AMQPSession) throws(AMQPError) {
        let tick = session.heartbeat > .zero ? max(Self.shortestHeartbeatTick, min(Self.tick, session.heartbeat / 8)) : Self.tick
        while true {
            publisher.wakeUp.clear()
            takeArrived()
            while let event = try session.nextEvent() { try handle(event, session) }
            expire()
            let isHeldUp = try send(session)
            report { _ in }
            if isDrained { return }
            let maySendMore = window.maySend && !queue.isEmpty
            session.wait(for: publisher.wakeUp, atMost: maySendMore && !isHeldUp ? .zero : tick, isWriting: isHeldUp)
        }
    }

    /// - Returns: whether the socket takes nothing more now, although there is something to send.
    private mutating func send(_ session: AMQPSession) throws(AMQPError) -> Bool {
        var taken = 0
        defer { publisher.leftQueue(taken) }
        while taken < Self.burst, window.maySend, let next = queue.first {
            guard session.isWritable else { return true }
            queue.removeFirst()
            taken += 1
            if let generation = next.generation, generation != window.generation {
                publisher.settle(next.ticket, .notSent(.connectionChanged))
                continue
            }
            // Otherwise its caller has given up.
            guard next.ticket.batch.beginSending(next.ticket.index) else {
                if next.generation != nil { taken += refuseBound() }
                continue
            }
            _ = window.sending(next.publication, ticket: next.ticket, deadline: next.deadline)
            try session.publish(next.publication, isMandatory: true)
        }
        return false
    }

    private mutating func handle(_ event: IncomingEvent, _ session: AMQPSession) throws(AMQPError) {
        let generation = window.generation
        switch event {
        case .confirmed(let tag, let isMultiple):
            settle(window.confirmed(tag: tag, isMultiple: isMultiple, generation: generation))
        case .nacked(let tag, let isMultiple):
            settle(window.nacked(tag: tag, isMultiple: isMultiple, generation: generation))
        case .returned(let message):
            window.returned(message, generation: generation)
        case .blocked(let reason):
            window.blocked(reason: reason)
            publisher.logger.info("the broker blocked this connection", metadata: ["amqp.client": "\(publisher.name)", "amqp.reason": "\(reason)"])
        case .unblocked:
            window.unblocked()
            publisher.logger.info("the broker unblocked this connection", metadata: ["amqp.client": "\(publisher.name)"])
        case .channelClosed(let error):
            publisher.metrics.connection.channelsClosed.increment()
            publisher.logger.info("the broker closed the channel", metadata: ["amqp.client": "\(publisher.name)", "error": "\(error)"])
            settle(window.closed(.channelClosed(code: error.replyCode ?? 0, text: error.reply), isConnectionLost: false))
            status.lastError = error
            try session.answerChannelClose()
            try session.openChannel()
            try session.selectConfirms()
            _ = window.opened()
        case .connectionClosed(let error):
            throw error
        case .delivered, .subscriptionCancelled:
            break
        }
    }

    private mutating func lost(_ error: AMQPError) {
        settle(window.closed(.connectionLost, isConnectionLost: true))
        publisher.metrics.connection.failures.increment()
        if let failures = outage.failed("\(error)") {
            publisher.logger.info(
                "no connection to the broker", metadata: ["amqp.client": "\(publisher.name)", "error": "\(error)", "failures": "\(failures)"])
        }
        report { status in
            status.phase = .connecting
            status.lastError = error
        }
    }

    /// A pause before the next attempt, in which messages still arrive and run out of time.
    /// - Returns: false when the publisher closes.
    private mutating func rest(_ pause: Duration) -> Bool {
        let end = ContinuousClock.now + pause
        while true {
            publisher.wakeUp.clear()
            takeArrived()
            expire()
            report { _ in }
            // There is nobody to drain to: what waits was not sent.
            if publisher.isClosing { return false }
            let now = ContinuousClock.now
            guard now < end else { return true }
            publisher.wakeUp.wait(atMost: min(Self.tick, end - now))
        }
    }

    private mutating func takeArrived() {
        let (messages, isClosing) = publisher.takeArrived()
        queue.append(contentsOf: messages)
        if isClosing, closingDeadline == nil { closingDeadline = .now + publisher.options.drainTimeout }
    }

    private var isDrained: Bool {
        guard let closingDeadline else { return false }
        return (queue.isEmpty && window.count == 0) || closingDeadline < .now
    }

    /// Deadlines are in the order of arrival, in the queue and in the window.
    private mutating func expire() {
        let now = ContinuousClock.now
        var gone = 0
        while let first = queue.first, first.deadline <= now {
            queue.removeFirst()
            gone += 1
            publisher.settle(first.ticket, .notSent(window.blockedReason.map { .blocked($0) } ?? .timedOut))
            if first.generation != nil { gone += refuseBound() }
        }
        publisher.leftQueue(gone)
        settle(window.expired(at: now))
    }

    /// One that was bound to the channel was not sent; those behind it must not go before it.
    /// - Returns: how many left the queue.
    private mutating func refuseBound() -> Int {
        let bound = queue.filter { $0.generation != nil }
        for message in bound { publisher.settle(message.ticket, .notSent(.connectionChanged)) }
        queue.removeAll { $0.generation != nil }
        return bound.count
    }

    private mutating func finish() {
        settle(window.closed(.connectionLost, isConnectionLost: true))
        takeArrived()
        for queued in queue { publisher.settle(queued.ticket, .notSent(.closed)) }
        publisher.leftQueue(queue.count)
        queue.removeAll()
        report { $0.phase = .closed }
    }

    private func settle(_ settlements: [ConfirmWindow<PublishTicket>.Settlement]) {
        for settlement in settlements { publisher.settle(settlement.ticket, settlement.outcome) }
    }

    /// Tells the world when something changed.
    private mutating func report(_ change: (inout AMQPConnectionStatus) -> Void) {
        let before = status
        change(&status)
        status.generation = window.generation
        status.blockedReason = window.blockedReason
        status.unconfirmed = window.count
        status.queued = queue.count
        guard status != before else { return }
        publisher.update(status)
        publisher.metrics.connection.connected.record(status.isOpen ? 1 : 0)
        publisher.metrics.blocked.record(status.isBlocked ? 1 : 0)
        publisher.metrics.unconfirmed.record(status.unconfirmed)
        publisher.metrics.queued.record(status.queued)
    }
}
