import NIOCore

/// One run: hands out the signed requests and counts the answers. It lives on one event loop and is touched nowhere else.
final class LoadRun {
    /// After the time is over, this long is waited for answers that are still out.
    static let drainLimit: TimeAmount = .seconds(10)
    private static let nanosecondsPerSecond: UInt64 = 1_000_000_000
    /// Nanoseconds between two looks while a request is due and no connection is free.
    private static let crowdedPause: Int64 = 100_000

    private let requests: [ByteBuffer]
    private let expectedStatus: Int
    private let transfersPerRequest: Int
    private let limit: TimeAmount
    /// Nanoseconds from one request to the next; nil when each connection sends as soon as it is answered.
    private let interval: UInt64?
    private var promise: EventLoopPromise<LoadOutcome>?
    private let eventLoop: any EventLoop

    private var connections: [LoadConnection] = []
    /// Those that wait until the next request is due.
    private var idle: [LoadConnection] = []
    private var outcome = LoadOutcome()
    private var nextRequest = 0
    private var inFlight = 0
    private var startedAt: UInt64 = 0
    private var processorAtStart: UInt64 = 0
    private var endsAt: UInt64 = 0
    private var lastAnswerAt: UInt64 = 0
    private var isOver = false

    init(requests: [ByteBuffer], transfersPerRequest: Int, expectedStatus: Int, limit: TimeAmount, rate: Int?, eventLoop: any EventLoop) {
        self.requests = requests
        self.expectedStatus = expectedStatus
        self.transfersPerRequest = transfersPerRequest
        self.limit = limit
        interval = rate.map { Self.nanosecondsPerSecond / UInt64(max(1, $0)) }
        self.eventLoop = eventLoop
        // Reserved now, so that nothing grows while it is measured.
        outcome.latencies.reserveCapacity(requests.count)
        outcome.transferIDs.reserveCapacity(requests.count * transfersPerRequest * AnswerScanner.transferIDBytes)
    }

    func join(_ connection: LoadConnection) {
        connections.append(connection)
    }

    /// Starts the clock and a request on every connection.
    ///
    /// - Returns: The outcome, when every request that was sent is answered or given up.
    func begin() -> EventLoopFuture<LoadOutcome> {
        guard !isOver else { return eventLoop.makeSucceededFuture(outcome) }
        let promise = eventLoop.makePromise(of: LoadOutcome.self)
        self.promise = promise
        processorAtStart = ProcessorTime.used
        startedAt = ProcessorTime.monotonic
        lastAnswerAt = startedAt
        endsAt = startedAt + UInt64(limit.nanoseconds)
        eventLoop.assumeIsolated().scheduleTask(in: limit + Self.drainLimit) { self.finish() }
        for connection in connections { connection.send(now: startedAt) }
        keepPace()
        finishWhenIdle()
        return promise.futureResult
    }

    /// When the next request is to be sent.
    private var dueAt: UInt64 { startedAt + (interval ?? 0) * UInt64(nextRequest) }

    /// Sends what is due by connections that wait, and comes back when the next request is.
    private func keepPace() {
        guard interval != nil, !isOver, nextRequest < requests.count else { return }
        let now = ProcessorTime.monotonic
        while dueAt <= now, nextRequest < requests.count, let connection = idle.popLast() { connection.send(now: now) }
        guard now < endsAt else { return finishWhenIdle() }
        let pause = TimeAmount.nanoseconds(dueAt > now ? Int64(dueAt - now) : Self.crowdedPause)
        eventLoop.assumeIsolated().scheduleTask(in: pause) { self.keepPace() }
    }

    /// Whether requests will yet become due.
    private var isPaced: Bool { interval != nil && nextRequest < requests.count && ProcessorTime.monotonic < endsAt }

    /// The next request to send, or nil when there is none for the connection that asks, now or at all.
    func take(for connection: LoadConnection, now: UInt64) -> ByteBuffer? {
        guard !isOver, now < endsAt else { return nil }
        guard nextRequest < requests.count else {
            outcome.requestsUsedUp = interval == nil
            return nil
        }
        guard dueAt <= now else {
            idle.append(connection)
            return nil
        }
        defer { nextRequest += 1 }
        inFlight += 1
        return requests[nextRequest]
    }

    /// Counts a complete answer; its connection then asks for its next request and calls ``finishWhenIdle()``.
    func answered(status: Int, body: UnsafeRawBufferPointer, sentAt: UInt64, now: UInt64) {
        guard !isOver else { return }
        inFlight -= 1
        lastAnswerAt = now
        outcome.statuses[status, default: 0] += 1
        guard status == expectedStatus else { return }
        outcome.latencies.append(now - sentAt)
        if transfersPerRequest > 1 {
            for start in AnswerScanner.transferIDs(in: body) {
                outcome.transferIDs.append(contentsOf: body[start..<(start + AnswerScanner.transferIDBytes)])
            }
        } else if let start = AnswerScanner.transferID(in: body) {
            outcome.transferIDs.append(contentsOf: body[start..<(start + AnswerScanner.transferIDBytes)])
        }
    }

    /// A connection ended, with or without a request in flight.
    func lost(_ connection: LoadConnection, hadRequest: Bool) {
        guard !isOver else { return }
        outcome.connectionsLost += 1
        idle.removeAll { $0 === connection }
        if hadRequest {
            inFlight -= 1
            outcome.unanswered += 1
        }
        finishWhenIdle()
    }

    func finishWhenIdle() {
        if inFlight == 0, !isPaced { finish() }
    }

    private func finish() {
        guard !isOver else { return }
        isOver = true
        outcome.elapsedNanoseconds = lastAnswerAt - startedAt
        outcome.processorNanoseconds = ProcessorTime.used - processorAtStart
        outcome.unanswered += inFlight
        for connection in connections { connection.close() }
        connections = []
        idle = []
        promise?.succeed(outcome)
    }
}
