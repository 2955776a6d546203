/// The bounds of a pool.
package struct PoolOptions: Sendable, Hashable {
    /// Connections open at one time, 1 or more.
    package var maximumConnections: Int
    /// Callers that may wait at one time; the next is refused at once with `poolExhausted`.
    package var maximumWaiters: Int
    /// How long a caller waits for a connection, opening one included.
    package var acquireTimeout: Duration
    /// An idle connection is tried again (one round trip) after each such interval; only while `run()` runs.
    package var healthCheckInterval: Duration
    /// A connection older than this is replaced when it comes back, so that a pool follows a moved server.
    package var maximumLifetime: Duration
    /// How long `run()` waits at shutdown for connections in use.
    package var drainTimeout: Duration
    /// Whether the pool is for writing: a connection that is opened while the server takes no writes answers reads and is soon replaced, so
    /// that nobody meets it once there is a server that does. False for a standby's pool.
    package var isForWriting: Bool

    package init(
        maximumConnections: Int = 10, maximumWaiters: Int = 256, acquireTimeout: Duration = .seconds(2),
        healthCheckInterval: Duration = .seconds(30), maximumLifetime: Duration = .seconds(1800), drainTimeout: Duration = .seconds(10),
        isForWriting: Bool = true
    ) {
        precondition(maximumConnections > 0 && maximumWaiters >= 0, "a pool needs a connection")
        self.maximumConnections = maximumConnections
        self.maximumWaiters = maximumWaiters
        self.acquireTimeout = acquireTimeout
        self.healthCheckInterval = healthCheckInterval
        self.maximumLifetime = maximumLifetime
        self.drainTimeout = drainTimeout
        self.isForWriting = isForWriting
    }
}

/// What a pool is doing and has done, for metrics.
package struct PoolStatistics: Sendable, Hashable {
    package var inUse = 0
    package var idle = 0
    package var opening = 0
    package var waiting = 0
    /// Callers that gave up waiting, since the start.
    package var timeouts = 0
    /// Callers that were refused because too many waited, since the start.
    package var refusals = 0
    /// Connections lent, since the start.
    package var totalAcquired = 0
    package var totalOpened = 0
    /// Connections dropped because they were dead, too old or read-only, since the start.
    package var totalDiscarded = 0
    package var connectFailures = 0
}
