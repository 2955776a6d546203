/// How a transaction runs; the time-outs hold for it alone (`SET LOCAL`).
package struct TransactionOptions: Sendable, Hashable {
    package enum Isolation: String, Sendable {
        case readCommitted = "READ COMMITTED"
        case repeatableRead = "REPEATABLE READ"
        case serializable = "SERIALIZABLE"
    }

    /// Said in each transaction: a role's or database's default must not decide what a lock or a later statement sees.
    package var isolation: Isolation
    package var isReadOnly: Bool
    /// The longest a statement may run, in whole milliseconds; nil is the role's default. A session that waits
    /// for less caps it.
    package var statementTimeout: Duration?
    /// The longest a statement may wait for one lock, in whole milliseconds; nil is the role's default.
    package var lockTimeout: Duration?
    /// The longest the transaction may wait for its client's next statement, in whole milliseconds, after which the server ends the
    /// connection; nil is the role's default. Without it a client that has stopped keeps its locks for ever.
    package var idleTimeout: Duration?

    package init(
        isolation: Isolation = .readCommitted, isReadOnly: Bool = false, statementTimeout: Duration? = nil, lockTimeout: Duration? = nil,
        idleTimeout: Duration? = nil
    ) {
        self.isolation = isolation
        self.isReadOnly = isReadOnly
        self.statementTimeout = statementTimeout
        self.lockTimeout = lockTimeout
        self.idleTimeout = idleTimeout
    }

    /// BEGIN and what belongs to it, to be sent in one round trip.
    ///
    /// - Parameter limit: the session's; the server must not go on working when nobody waits any more.
    func openingStatements(within limit: WaitLimit) -> [PostgresQuery] {
        let begin = "BEGIN ISOLATION LEVEL \(isolation.rawValue)"
        // What is acknowledged must be durable, whatever the setting of the role (which it may change itself), database or server.
        var statements: [PostgresQuery] =
            isReadOnly
            ? [PostgresQuery(unsafeSQL: "\(begin) READ ONLY")] : [PostgresQuery(unsafeSQL: begin), "SET LOCAL synchronous_commit = on"]
        if let statementTimeout = longestStatement(within: limit) {
            statements.append(PostgresQuery(unsafeSQL: "SET LOCAL statement_timeout = \(statementTimeout.wholeMilliseconds)"))
        }
        if let lockTimeout {
            statements.append(PostgresQuery(unsafeSQL: "SET LOCAL lock_timeout = \(lockTimeout.wholeMilliseconds)"))
        }
        if let idleTimeout {
            let setting = "idle_in_transaction_session_timeout"
            statements.append(PostgresQuery(unsafeSQL: "SET LOCAL \(setting) = \(idleTimeout.wholeMilliseconds)"))
        }
        return statements
    }

    private func longestStatement(within limit: WaitLimit) -> Duration? {
        switch limit {
        case .until(let end):
            let left = end - .now
            return statementTimeout.map { min($0, left) } ?? left
        case .perStatement(let each): return statementTimeout.map { min($0, each) }
        case .whileServerLives: return statementTimeout
        }
    }
}

extension Duration {
    /// At least 1, because 0 would switch a time-out of Postgres off; at most what its settings hold.
    var wholeMilliseconds: Int32 {
        let (seconds, attoseconds) = components
        guard seconds < Int64(Int32.max) / 1000 else { return .max }
        return Int32(max(1, seconds * 1000 + attoseconds / 1_000_000_000_000_000))
    }
}
