import NIOCore

/// One run: hands out the work and counts the answers. It lives on one event loop and is touched nowhere else.
final class LoadRun {
    /// After the time is over, this long is waited for answers that are still out.
    static let drainLimit: TimeAmount = .seconds(10)
    private static let nanosecondsPerSecond: UInt64 = 1_000_000_000
    /// Nanoseconds between two looks while a request is due and no connection is free.
    private static let crowdedPause: Int64 = 100_000

    /// So many latencies are made room for, so that nothing grows while it is measured.
    private static let expectedPieces = 1 << 19

    private let work: any LoadWork
    private let limit: TimeAmount
    /// Nanoseconds from one piece of work to the next; nil when each connection sends as soon as it is answered.
    private let interval: UInt64?
    private var promise: EventLoopPromise<LoadOutcome>?
    private let eventLoop: any EventLoop

    private var connections: [LoadConnection] = []
    /// Those that wait until the next request is due.
    private var idle: [LoadConnection] = []
    private var outcome = LoadOutcome()
    private var begun = 0
    private var inFlight = 0
    private var startedAt: UInt64 = 0
    private var processorAtStart: UInt64 = 0
    private var endsAt: UInt64 = 0
    private var lastAnswerAt: UInt64 = 0
    private var isOver = false

    init(_ work: any LoadWork, limit: TimeAmount, rate: Int?, eventLoop: any EventLoop) {
        self.work = work
        self.limit = limit
        interval = rate.map { Self.nanosecondsPerSecond / UInt64(max(1, $0)) }
        self.eventLoop = eventLoop
        outcome.latencies.reserveCapacity(Self.expectedPieces)
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

    /// When the next piece is to begin.
    private var dueAt: UInt64 { startedAt + (interval ?? 0) * UInt64(begun) }

    /// Sends what is due by connections that wait, and comes back when the next piece is.
    private func keepPace() {
        guard interval != nil, !isOver, !work.isUsedUp else { return }
        let now = ProcessorTime.monotonic
        // In turn, so that none is idle for so long that it is closed.
        while dueAt <= now, !work.isUsedUp, !idle.isEmpty { idle.removeFirst().send(now: now) }
        guard now < endsAt else { return finishWhenIdle() }
        let pause = TimeAmount.nanoseconds(dueAt > now ? Int64(dueAt - now) : Self.crowdedPause)
        eventLoop.assumeIsolated().scheduleTask(in: pause) { self.keepPace() }
    }

    /// Whether pieces will yet become due.
    private var isPaced: Bool { interval != nil && !work.isUsedUp && ProcessorTime.monotonic < endsAt }

    /// The next piece to begin, or nil when there is none for the connection that asks, now or at all.
    ///
    /// - Returns: with when it was to begin: the time for which it waited for a free connection is its own.
    func take(for connection: LoadConnection, now: UInt64) -> (piece: Int, request: ByteBuffer, begunAt: UInt64)? {
        guard !isOver, now < endsAt else { return nil }
        guard !work.isUsedUp else {
            outcome.requestsUsedUp = interval == nil
            return nil
        }
        guard dueAt <= now else {
            idle.append(connection)
            return nil
        }
        let begunAt = interval == nil ? now : dueAt
        begun += 1
        inFlight += 1
        let (piece, request) = work.next()
        return (piece, request, begunAt)
    }

    /// Counts a complete answer.
    ///
    /// - Returns: the next request of the same piece; nil at its end, when the connection asks for another and calls ``finishWhenIdle()``.
    func answered(_ piece: Int, status: Int, body: UnsafeRawBufferPointer, begunAt: UInt64, now: UInt64) -> ByteBuffer? {
        guard !isOver else { return nil }
        outcome.statuses[status, default: 0] += 1
        let progress = work.answered(piece, status: status, body: body)
        if case .goesOn(let request) = progress { return request }
        if progress == .done { outcome.latencies.append(now - begunAt) }
        inFlight -= 1
        lastAnswerAt = now
        return nil
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
        work.report(to: &outcome)
        for connection in connections { connection.close() }
        connections = []
        idle = []
        promise?.succeed(outcome)
    }
}
