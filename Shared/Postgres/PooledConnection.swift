/// A connection and what the pool remembers of it.
struct PooledConnection: Sendable {
    let connection: PostgresConnection
    /// After this the connection is replaced when it comes back.
    let retiresAt: ContinuousClock.Instant
    var lastUsedAt: ContinuousClock.Instant
}

/// A caller of the pool that waits for a connection.
typealias PoolWaiter = Settlement<PooledConnection>
