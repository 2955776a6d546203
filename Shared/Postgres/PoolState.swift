/// The book-keeping of a pool, without any input or output: who waits, what is idle, how many are out.
struct PoolState {
    let options: PoolOptions
    private(set) var idle: [PooledConnection] = []
    private var waiters: [PoolWaiter] = []
    private(set) var isClosed = false
    private(set) var lastConnectError: PostgresError?
    private var counts = PoolStatistics()
    private var answers: [@Sendable () -> Void] = []

    init(options: PoolOptions) { self.options = options }

    enum Request {
        case lend(PooledConnection)
        /// The caller waits; that many connections are to be opened.
        case wait(PoolWaiter, openings: Int)
        case refuse(PostgresError)
    }

    var statistics: PoolStatistics {
        var statistics = counts
        statistics.idle = idle.count
        statistics.waiting = waiters.count
        return statistics
    }

    var isDrained: Bool { counts.inUse == 0 && counts.opening == 0 }

    /// A caller wants a connection. Nobody overtakes those who wait already.
    mutating func request() -> Request {
        guard !isClosed else { return .refuse(PostgresError(.poolClosed)) }
        if waiters.isEmpty, let connection = idle.popLast() {
            lent()
            return .lend(connection)
        }
        guard canOpen || waiters.count < options.maximumWaiters else {
            counts.refusals += 1
            return .refuse(PostgresError(.poolExhausted, "\(waiters.count) callers wait already"))
        }
        let waiter = PoolWaiter()
        waiters.append(waiter)
        return .wait(waiter, openings: planOpenings())
    }

    /// A caller stops waiting with this error, unless it was served in this moment.
    mutating func abandon(_ waiter: PoolWaiter, with error: PostgresError) {
        guard settle(waiter, .failure(error)) else { return }
        if error.kind != .cancelled { counts.timeouts += 1 }
        waiters.removeAll { $0 === waiter }
    }

    /// A connection comes back, or a new one arrives; the first who waits gets it.
    /// - Returns: how many connections are to be opened.
    mutating func giveBack(_ connection: PooledConnection, isUsable: Bool, now: ContinuousClock.Instant) -> Int {
        counts.inUse -= 1
        guard isUsable, !isClosed, now < connection.retiresAt else {
            counts.totalDiscarded += 1
            return planOpenings()
        }
        put(connection, now: now)
        return 0
    }

    mutating func opened(_ connection: PooledConnection, now: ContinuousClock.Instant) {
        counts.opening -= 1
        counts.totalOpened += 1
        lastConnectError = nil
        guard !isClosed else { return }
        put(connection, now: now)
    }

    /// Opening failed; it counts as opening until `isOpeningWanted()` says otherwise.
    mutating func openingFailed(_ error: PostgresError) {
        counts.connectFailures += 1
        lastConnectError = error
    }

    /// After the pause: whether somebody still waits for this opening. If not it is over.
    mutating func isOpeningWanted() -> Bool {
        if !isClosed, waiters.count >= counts.opening { return true }
        counts.opening -= 1
        return false
    }

    /// Takes out the idle connections that are due for a check; they count as in use until they are given back.
    mutating func takeForCheck(now: ContinuousClock.Instant) -> [PooledConnection] {
        let dueBefore = now - options.healthCheckInterval
        let due = idle.filter { $0.lastUsedAt <= dueBefore || $0.retiresAt <= now }
        idle.removeAll { $0.lastUsedAt <= dueBefore || $0.retiresAt <= now }
        counts.inUse += due.count
        return due
    }

    /// No connection is lent any more; those who wait are told.
    mutating func close() {
        isClosed = true
        counts.totalDiscarded += idle.count
        idle.removeAll()
        for waiter in waiters { _ = settle(waiter, .failure(PostgresError(.poolClosed))) }
        waiters.removeAll()
    }

    /// Answers that were decided and are to be given once nobody holds the lock on this state; see ``Settlement/decide(_:)``.
    mutating func takeAnswers() -> [@Sendable () -> Void] {
        defer { answers.removeAll() }
        return answers
    }

    private mutating func settle(_ waiter: Settlement<PooledConnection>, _ result: Result<PooledConnection, any Error>) -> Bool {
        guard let answer = waiter.decide(result) else { return false }
        answers.append(answer)
        return true
    }

    private var canOpen: Bool { idle.count + counts.inUse + counts.opening < options.maximumConnections }

    private mutating func planOpenings() -> Int {
        var openings = 0
        while !isClosed, canOpen, counts.opening < waiters.count {
            counts.opening += 1
            openings += 1
        }
        return openings
    }

    private mutating func put(_ connection: PooledConnection, now: ContinuousClock.Instant) {
        while !waiters.isEmpty {
            let waiter = waiters.removeFirst()
            if settle(waiter, .success(connection)) { return lent() }
        }
        var connection = connection
        connection.lastUsedAt = now
        idle.append(connection)
    }

    private mutating func lent() {
        counts.inUse += 1
        counts.totalAcquired += 1
    }
}
