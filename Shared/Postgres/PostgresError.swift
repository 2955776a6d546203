/// What went wrong between this process and Postgres.
///
/// `description` is safe to log: it holds codes and names of objects, never SQL, values or secrets. `String(reflecting:)` shows
/// the server's message and the statement, and is for a developer's eyes only.
package struct PostgresError: Error, Sendable {
    /// Which kind of failure it was, and so what the caller may do about it.
    package enum Kind: String, Sendable, Hashable {
        /// The server refused a statement; `sqlState` says why. The session is still usable.
        case server
        /// No connection could be made; nothing was sent.
        case connectFailed = "connect_failed"
        /// The connection broke while it was in use, or was given up because no answer came in time. Outside of COMMIT nothing of an open transaction remains.
        case connectionLost = "connection_lost"
        /// The connection broke, or no answer came in time, in COMMIT: the transaction may or may not have become durable.
        case commitOutcomeUnknown = "commit_outcome_unknown"
        /// COMMIT was answered by a rollback, because an earlier error in the transaction had been swallowed.
        case transactionAborted = "transaction_aborted"
        /// No connection became free within the acquire time-out.
        case poolTimeout = "pool_timeout"
        /// The bound on waiting callers is reached; refused at once.
        case poolExhausted = "pool_exhausted"
        /// The pool is shutting down.
        case poolClosed = "pool_closed"
        /// The caller's task, or `cancelRunningQuery()`, cancelled the statement.
        case cancelled
        /// The session's limit passed and the statement was cancelled. The session is still usable.
        case timedOut = "timed_out"
        /// A value of the result doesn't have the type that the caller asked for.
        case decoding
        /// The session was used in a way that the protocol doesn't allow.
        case protocolViolation = "protocol_violation"
        /// The URL of the database can't be used.
        case invalidConfiguration = "invalid_configuration"
    }

    package let kind: Kind
    package internal(set) var sqlState: SQLState?
    package internal(set) var constraintName: String?
    package internal(set) var tableName: String?
    /// The place in a pipeline of the statement that failed; the later ones did not run.
    package internal(set) var failedStatementIndex: Int?
    /// What may be logged beyond the kind: names of objects, never values.
    private let safeDetail: String?
    /// The server's own words, which may quote values.
    private var serverMessage: String?
    private var sql: String?

    package init(_ kind: Kind, _ safeDetail: String? = nil) {
        self.kind = kind
        self.safeDetail = safeDetail
    }

    init(_ kind: Kind, _ safeDetail: String? = nil, sqlState: SQLState?, serverMessage: String?, sql: String?) {
        self.kind = kind
        self.safeDetail = safeDetail
        self.sqlState = sqlState
        self.serverMessage = serverMessage
        self.sql = sql
    }

    /// The same failure with another meaning, for the step that knows more (a connection lost in COMMIT).
    func recast(as kind: Kind) -> PostgresError {
        var copy = PostgresError(kind, safeDetail, sqlState: sqlState, serverMessage: serverMessage, sql: sql)
        copy.failedStatementIndex = failedStatementIndex
        copy.constraintName = constraintName
        copy.tableName = tableName
        return copy
    }

    /// Whether the whole transaction may run again as it is: a serialization failure or a deadlock.
    package var isRetryable: Bool {
        kind == .server && (sqlState == .serializationFailure || sqlState == .deadlockDetected)
    }

    /// Whether the connection is gone; true too when that left the outcome of a COMMIT unknown.
    package var isConnectionLost: Bool { kind == .connectionLost || kind == .commitOutcomeUnknown }

    /// Whether the database can't be used at all, whoever asks: there is no connection, or the server shuts down, starts, is full, has run
    /// out of something or takes no writes.
    package var isOutage: Bool {
        switch kind {
        case .connectFailed, .connectionLost, .commitOutcomeUnknown, .poolTimeout, .poolExhausted, .poolClosed: return true
        case .server:
            return sqlState.map { $0.isServerUnavailable || $0.isServerExhausted } ?? false
        case .transactionAborted, .cancelled, .timedOut, .decoding, .protocolViolation, .invalidConfiguration: return false
        }
    }

    /// Whether a statement was given up because of `statement_timeout`, `lock_timeout` or the session's limit.
    package var isTimeout: Bool {
        kind == .timedOut || (kind == .server && (sqlState == .queryCanceled || sqlState == .lockNotAvailable))
    }
}

extension PostgresError: CustomStringConvertible, CustomDebugStringConvertible {
    package var description: String {
        var text = "postgres: \(kind.rawValue)"
        if let sqlState { text += " sqlstate \(sqlState)" }
        if let constraintName { text += " constraint \(constraintName)" }
        if let tableName { text += " table \(tableName)" }
        if let failedStatementIndex { text += " statement \(failedStatementIndex)" }
        if let safeDetail { text += ": \(safeDetail)" }
        return text
    }

    package var debugDescription: String {
        var text = description
        if let serverMessage { text += "\nserver: \(serverMessage)" }
        if let sql { text += "\nsql: \(sql)" }
        return text
    }
}
