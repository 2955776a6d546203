internal import Glibc

/// The lock that lets one process at a time change a database's schema.
///
/// It is tried again and again instead of waited for: a waiting statement holds a snapshot, and CREATE INDEX CONCURRENTLY waits for
/// every snapshot older than its own, so a queue of waiters would deadlock with it.
struct MigrationLock {
    /// "florin" in ASCII; any constant would do.
    static let key: Int64 = 0x66_6C_6F_72_69_6E
    static let retryInterval: Duration = .milliseconds(20)

    let waitLimit: Duration

    /// Runs `body` in a transaction that holds the lock.
    func withTransaction<Value>(
        _ session: PostgresSession, options: TransactionOptions, _ body: (PostgresSession) throws -> Value
    ) throws -> Value {
        let deadline = ContinuousClock.now + waitLimit
        while true {
            let value: Value? = try session.transaction(options) { session in
                let isHeld = try session.query("SELECT pg_try_advisory_xact_lock(\(Self.key))")[0].decode(Bool.self)
                return isHeld ? try body(session) : nil
            }
            if let value { return value }
            try pause(until: deadline)
        }
    }

    /// Runs `body` outside of a transaction under the same lock, held by the session: this needs the server's direct address, since
    /// behind a pooler in transaction mode a session is not one connection.
    func withSessionLock<Value>(_ session: PostgresSession, _ body: (PostgresSession) throws -> Value) throws -> Value {
        let deadline = ContinuousClock.now + waitLimit
        while try session.query("SELECT pg_try_advisory_lock(\(Self.key))")[0].decode(Bool.self) == false {
            try pause(until: deadline)
        }
        defer {
            do { _ = try session.run("SELECT pg_advisory_unlock(\(Self.key))", as: .cleanup) } catch { session.markBroken() }
        }
        return try body(session)
    }

    private func pause(until deadline: ContinuousClock.Instant) throws(MigrationError) {
        guard ContinuousClock.now < deadline else { throw .lockTimeout }
        usleep(UInt32(Self.retryInterval.wholeMilliseconds) * 1000)
    }
}
