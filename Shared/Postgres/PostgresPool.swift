internal import Concurrency
package import Logging
internal import Outages
internal import ServiceLifecycle
internal import Synchronization

/// A bounded set of connections, lent to one caller at a time, first come first served.
///
/// Connections open lazily, so the pool works before `run()` and without it (in a CLI); `run()` adds health checks of idle
/// connections and an orderly end.
package final class PostgresPool: Service {
    private let configuration: PostgresConfiguration
    private let options: PoolOptions
    private let logger: Logger?
    private let onAcquire: @Sendable (_ waited: Duration) -> Void
    private let state: Mutex<PoolState>
    private let openings = Mutex(OutageLog())

    /// How often a transaction runs at most, when Postgres aborts it for others' sake.
    package static let maximumTransactionAttempts = 6
    /// How long a server may take that does nothing but answer.
    package static let pingLimit = Duration.seconds(2)
    private static let maintenanceInterval: Duration = .seconds(1)
    private static let retryPause = Backoff(first: .milliseconds(4), maximum: .milliseconds(200), jitter: .half)
    private static let connectPause = Backoff(first: .milliseconds(20), maximum: .seconds(1), jitter: .half)
    private static let drainPollInterval: Duration = .milliseconds(10)
    /// How long a connection lives that was opened while the server took no writes.
    private static let readOnlyLifetime: Duration = .seconds(1)

    /// - Parameter onAcquire: Told how long each caller waited for its connection, also in vain; zero where one was idle.
    package init(
        configuration: PostgresConfiguration, options: PoolOptions = PoolOptions(), logger: Logger? = nil,
        onAcquire: @escaping @Sendable (_ waited: Duration) -> Void = { _ in }
    ) {
        self.configuration = configuration
        self.options = options
        self.logger = logger
        self.onAcquire = onAcquire
        state = Mutex(PoolState(options: options))
    }

    package var statistics: PoolStatistics { withState { $0.statistics } }

    /// Lends a session to `body`, on its connection's thread, where blocking is fine. Task cancellation cancels the running statement.
    ///
    /// A connection that was found dead before `body` ran is replaced unseen; one that dies in `body` throws `connectionLost`.
    /// - Parameter limit: how long the server is waited for; a deadline counts for the wait for a connection too.
    /// - Throws: what `body` throws; `poolTimeout`, `poolExhausted`, `poolClosed`, `cancelled`, `timedOut`; `connectFailed` when no
    ///   connection could be opened within the acquire time-out.
    @discardableResult
    package func withSession<Value: Sendable>(
        within limit: WaitLimit = .standard, _ body: @Sendable (PostgresSession) throws -> Value
    ) async throws -> Value {
        // Every idle connection may be dead, after a restart of the server; each is found out once.
        for _ in 0...options.maximumConnections {
            let lease = try await acquire(within: limit)
            let outcome: (value: Value, isReusable: Bool)?
            do {
                outcome = try await lease.connection.withLiveSession(within: limit, body)
            } catch {
                giveBack(lease, isUsable: await lease.connection.isReusable)
                throw error
            }
            giveBack(lease, isUsable: outcome?.isReusable ?? false)
            if let outcome { return outcome.value }
        }
        throw PostgresError(.connectionLost, "every connection of the pool was dead")
    }

    /// Runs `body` in a transaction, again from the start when Postgres aborted it by a serialization failure or a deadlock.
    /// - Throws: as `withSession` and `PostgresSession.transaction`.
    @discardableResult
    package func withTransaction<Value: Sendable>(
        _ options: TransactionOptions = TransactionOptions(), within limit: WaitLimit = .standard,
        _ body: @Sendable (PostgresSession) throws -> Value
    ) async throws -> Value {
        try await withTransaction(options, within: limit, opening: []) { session, _ in (try body(session), closing: []) }
    }

    /// The same in two round trips where `body` sends nothing itself.
    /// - Throws: as `withSession` and `PostgresSession.transaction`.
    @discardableResult
    package func withTransaction<Value: Sendable>(
        _ options: TransactionOptions = TransactionOptions(), within limit: WaitLimit = .standard, opening queries: [PostgresQuery],
        _ body: @Sendable (PostgresSession, [PostgresResult]) throws -> (Value, closing: [PostgresQuery])
    ) async throws -> Value {
        var attempt = 1
        while true {
            do {
                return try await withSession(within: limit) { session in try session.transaction(options, opening: queries, body) }
            } catch let error as PostgresError where error.isRetryable && attempt < Self.maximumTransactionAttempts {
                try await Task.sleep(for: Self.retryPause.pause(after: attempt))
                attempt += 1
            }
        }
    }

    /// One round trip to the server, for readiness.
    /// - Throws: as `withSession`.
    package func ping() async throws {
        try await withSession(within: .perStatement(Self.pingLimit)) { session in try session.execute("SELECT 1") }
    }

    /// Checks idle connections until the graceful shutdown or cancellation, then refuses new callers, waits for those in use and closes.
    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try? await Task.sleep(for: Self.maintenanceInterval)
                await self.maintain()
            }
        }
        await close()
    }

    /// Ends the pool without `run()`: refuses new callers, waits for those in use, and closes every connection.
    package func close() async {
        let idle = withState { state in
            let idle = state.idle
            state.close()
            return idle
        }
        for pooled in idle { await pooled.connection.close() }
        let deadline = ContinuousClock.now + options.drainTimeout
        while !withState({ $0.isDrained }), ContinuousClock.now < deadline {
            do { try await Task.sleep(for: Self.drainPollInterval) } catch { break }
        }
    }

    private func acquire(within limit: WaitLimit) async throws -> PooledConnection {
        switch withState({ $0.request() }) {
        case .lend(let connection):
            onAcquire(.zero)
            return connection
        case .refuse(let error):
            throw error
        case .wait(let waiter, let openings):
            let started = ContinuousClock.now
            defer { onAcquire(.now - started) }
            open(openings)
            let end =
                switch limit {
                case .until(let end): min(end, started + options.acquireTimeout)
                case .perStatement, .whileServerLives: started + options.acquireTimeout
                }
            async let _ = expire(waiter, at: end)
            return try await withTaskCancellationHandler {
                try await waiter.value()
            } onCancel: {
                withState { $0.abandon(waiter, with: PostgresError(.cancelled)) }
            }
        }
    }

    /// What is decided under the lock is answered after it.
    private func withState<Value: Sendable>(_ body: (inout PoolState) -> Value) -> Value {
        let (value, answers) = state.withLock { state in (body(&state), state.takeAnswers()) }
        for answer in answers { answer() }
        return value
    }

    /// Ends a wait that takes too long; the reason why no connection could be opened says more than the time-out.
    private func expire(_ waiter: PoolWaiter, at end: ContinuousClock.Instant) async {
        guard (try? await Task.sleep(until: end)) != nil else { return }
        withState { state in
            state.abandon(waiter, with: state.lastConnectError ?? PostgresError(.poolTimeout, "no connection became free in time"))
        }
    }

    private func giveBack(_ connection: PooledConnection, isUsable: Bool) {
        open(withState { $0.giveBack(connection, isUsable: isUsable, now: .now) })
    }

    /// Opens connections for those who wait. The tasks are the pool's own: a connection outlives the caller who first wanted it.
    private func open(_ count: Int) {
        for _ in 0..<count {
            Task { await self.openOne() }
        }
    }

    /// Connects, again and again with growing pauses while somebody waits.
    private func openOne() async {
        var attempt = 1
        while true {
            do throws(PostgresError) {
                let connection = try await PostgresConnection.connect(configuration, logger: logger)
                let isLasting = options.isForWriting ? try await connection.takesWrites() : true
                // Spread, so that connections opened together don't retire together.
                let lifetime = (isLasting ? options.maximumLifetime : Self.readOnlyLifetime) * Double.random(in: 0.9...1)
                let now = ContinuousClock.now
                let pooled = PooledConnection(connection: connection, retiresAt: now + lifetime, lastUsedAt: now)
                if let failures = openings.withLock({ $0.succeeded() }) {
                    logger?.info("database connections can be opened again", metadata: ["failures": "\(failures)"])
                }
                return withState { $0.opened(pooled, now: now) }
            } catch {
                withState { $0.openingFailed(error) }
                if let failures = openings.withLock({ $0.failed("\(error)") }) {
                    logger?.info("a database connection could not be opened", metadata: ["error": "\(error)", "failures": "\(failures)"])
                }
            }
            try? await Task.sleep(for: Self.connectPause.pause(after: attempt))
            guard withState({ $0.isOpeningWanted() }) else { return }
            attempt += 1
        }
    }

    private func maintain() async {
        // Side by side: before a server that answers nothing each takes its whole time.
        await withDiscardingTaskGroup { group in
            for pooled in withState({ $0.takeForCheck(now: .now) }) { group.addTask { await self.check(pooled) } }
        }
    }

    private func check(_ pooled: PooledConnection) async {
        let outcome = try? await pooled.connection.withLiveSession(within: .within(Self.pingLimit)) { session in try session.execute("SELECT 1") }
        let isUsable = outcome?.isReusable ?? false
        if !isUsable { logger?.info("an idle database connection was dead") }
        giveBack(pooled, isUsable: isUsable)
    }
}
