package import Logging

/// One connection to Postgres, with a thread of its own for libpq's blocking calls.
///
/// libpq allows one thread at a time per connection; the actor's executor is that thread. The connection closes with the last
/// reference to it.
package actor PostgresConnection {
    private let executor: ConnectionExecutor
    private var session: PostgresSession?
    private nonisolated let cancellation: QueryCancellation
    private nonisolated let logger: Logger?

    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Connects, on the connection's own thread.
    ///
    /// libpq gives up after the connect time-out, for each address that the host has and through encryption and login; a caller whose
    /// task is cancelled does not wait for it.
    /// - Throws: `connectFailed` when the server can't be reached in time or refuses; `cancelled`.
    package static func connect(
        _ configuration: PostgresConfiguration, logger: Logger? = nil
    ) async throws(PostgresError) -> PostgresConnection {
        guard let executor = ConnectionExecutor() else { throw PostgresError(.connectFailed, "no thread for a connection") }
        let opener = Opener(executor: executor)
        do throws(PostgresError) {
            let connection = try await opener.opened(configuration, logger: logger)
            logger?.debug("connected to postgres", metadata: ["db.target": "\(configuration)"])
            return connection
        } catch {
            logger?.debug("connecting to postgres failed", metadata: ["error": "\(error)"])
            throw error
        }
    }

    /// Connects on the executor that the connection will keep.
    private actor Opener {
        private let executor: ConnectionExecutor
        nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

        init(executor: ConnectionExecutor) { self.executor = executor }

        /// A connection that comes too late for its caller ends with its last reference.
        nonisolated func opened(_ configuration: PostgresConfiguration, logger: Logger?) async throws(PostgresError) -> PostgresConnection {
            let settlement = Settlement<PostgresConnection>()
            Task {
                do throws(PostgresError) {
                    _ = settlement.settle(.success(try await open(configuration, logger: logger)))
                } catch {
                    _ = settlement.settle(.failure(error))
                }
            }
            do {
                return try await withTaskCancellationHandler {
                    try await settlement.value()
                } onCancel: {
                    _ = settlement.settle(.failure(PostgresError(.cancelled)))
                }
            } catch {
                throw error as? PostgresError ?? PostgresError(.cancelled)
            }
        }

        private func open(_ configuration: PostgresConfiguration, logger: Logger?) throws(PostgresError) -> PostgresConnection {
            PostgresConnection(session: try PostgresSession(connectingTo: configuration), executor: executor, logger: logger)
        }
    }

    private init(session: sending PostgresSession, executor: ConnectionExecutor, logger: Logger?) {
        cancellation = session.cancellation
        self.session = session
        self.executor = executor
        self.logger = logger
    }

    // Isolated, so that the session and its PGconn end on the connection's own thread.
    isolated deinit { session = nil }

    /// Lends the session to `body`, on the connection's thread, where blocking is fine.
    ///
    /// When the task is cancelled, the running statement is cancelled and no other starts: they throw `cancelled`. A transaction that
    /// `body` left open is rolled back.
    /// - Parameter limit: how long the server is waited for.
    /// - Throws: what `body` throws; `connectionLost` when the connection was closed.
    @discardableResult
    package func withSession<Value: Sendable>(
        within limit: WaitLimit = .standard, _ body: @Sendable (PostgresSession) throws -> Value
    ) async throws -> Value {
        cancellation.allow()
        return try await withTaskCancellationHandler {
            // By way of `self`: a closure that doesn't mention the actor would run on the cooperative pool and block it.
            try self.lend(limit, body)
        } onCancel: {
            cancellation.stop()
        }
    }

    private func lend<Value: Sendable>(_ limit: WaitLimit, _ body: (PostgresSession) throws -> Value) throws -> Value {
        preconditionIsolated()
        guard let session else { throw PostgresError(.connectionLost, "the connection was closed") }
        session.limit = limit
        defer { session.rollback() }
        return try body(session)
    }

    /// Cancels the statement that runs now, if one does; it throws `cancelled`. Returns at once.
    package nonisolated func cancelRunningQuery() { cancellation.cancelRunning() }

    /// Whether another statement may be tried; false once the connection was found dead or was closed.
    package var isHealthy: Bool { session?.isHealthy ?? false }

    /// As ``PostgresSession/isReusable``.
    var isReusable: Bool { session?.isReusable ?? false }

    /// As ``PostgresSession/takesWrites()``, for a connection that is not lent.
    /// - Throws: `connectFailed`: a pooler lets its clients in before it has asked the server.
    package func takesWrites() throws(PostgresError) -> Bool {
        do throws(PostgresError) {
            guard let session else { throw PostgresError(.connectionLost, "the connection was closed") }
            session.limit = .within(PostgresPool.pingLimit)
            return try session.takesWrites()
        } catch {
            throw error.recast(as: .connectFailed)
        }
    }

    /// Ends the connection now rather than with the last reference.
    package func close() { session = nil }

    /// As `withSession`, but only on a connection that is still alive; nil means that `body` did not run.
    func withLiveSession<Value: Sendable>(
        within limit: WaitLimit, _ body: @Sendable (PostgresSession) throws -> Value
    ) async throws -> (value: Value, isReusable: Bool)? {
        guard let session, session.isHealthy, session.isQuiet() else {
            self.session = nil
            return nil
        }
        let value = try await withSession(within: limit, body)
        return (value, session.isReusable)
    }
}
