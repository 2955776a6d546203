internal import CLibPQ
internal import Glibc

/// One connection's statements, one after the other, synchronous and blocking.
///
/// It lives on the thread of its `PostgresConnection` and is lent to closures there; it is not Sendable, and must not be kept beyond
/// the closure.
package final class PostgresSession {
    private let handle: ConnectionHandle
    let cancellation: QueryCancellation
    private var isBroken = false
    /// Until when statements are waited for; whoever lends the session sets it.
    package var limit = WaitLimit.standard
    let probe: ServerProbe
    /// The running statement's.
    var patience = Patience(.ordinary, limit: .standard)
    /// Set while a transaction runs that was declared READ ONLY.
    var isDeclaredReadOnly = false
    private var hasRefusedWrite = false

    /// More parameters than the protocol's 16-bit count can hold are refused.
    package static let maximumParameters = 65_535

    var pointer: OpaquePointer { handle.pointer }

    /// Connects, which blocks for at most the connect time-out per address.
    /// - Throws: `connectFailed`.
    init(connectingTo configuration: PostgresConfiguration) throws(PostgresError) {
        let pairs = configuration.keywordsAndValues
        let connection = Self.withCStrings(pairs.map(\.keyword)) { keywords in
            Self.withCStrings(pairs.map(\.value)) { values in
                PQconnectdbParams(keywords, values, 0)
            }
        }
        guard let connection else { throw PostgresError(.connectFailed, "out of memory") }
        // From here on the handle frees the connection, on the failing paths too.
        handle = ConnectionHandle(pointer: connection)
        probe = ServerProbe(configuration: configuration)
        guard PQstatus(connection) == CONNECTION_OK else {
            throw PostgresError(.connectFailed, "\(configuration): \(Self.oneLine(PQerrorMessage(connection)))")
        }
        guard let cancelHandle = CancelHandle(connection: connection) else {
            throw PostgresError(.connectFailed, "no cancel handle")
        }
        cancellation = QueryCancellation(handle: cancelHandle)
        // Notices would go to standard error; nothing here reads them.
        _ = PQsetNoticeProcessor(connection, { _, _ in }, nil)
        guard PQsetnonblocking(connection, 1) == 0 else { throw PostgresError(.connectFailed, "nonblocking mode refused") }
    }

    /// Whether a transaction is open, failed ones included.
    package var isInTransaction: Bool {
        switch PQtransactionStatus(pointer) {
        case PQTRANS_INTRANS, PQTRANS_INERROR, PQTRANS_ACTIVE: true
        default: false
        }
    }

    /// Whether the connection can run another statement, as far as this side knows.
    package var isHealthy: Bool { !isBroken && PQstatus(pointer) == CONNECTION_OK }

    /// Whether the session is worth lending again: healthy, and not one in which the server has refused a write. A session may stay
    /// read-only for as long as it lives, whatever server its address leads to by now.
    package var isReusable: Bool { isHealthy && !hasRefusedWrite }

    /// Whether the server takes writes in this session: it is no standby, and neither it nor the role is set to read only.
    ///
    /// Asked in a statement: libpq's `target_session_attrs` goes by what the server reported when the connection was made, and PgBouncer
    /// reports what the first server connection of its pool once said.
    /// - Throws: as `query(_:)`.
    package func takesWrites() throws(PostgresError) -> Bool {
        try query("SELECT current_setting('transaction_read_only') = 'off'")[0].decode(Bool.self)
    }

    /// The server's process id for this connection; through PgBouncer it is the pooler's own number.
    package var backendProcessID: Int32 { PQbackendPID(pointer) }

    package var isEncrypted: Bool { PQsslInUse(pointer) != 0 }

    /// Runs one statement and returns its rows.
    /// - Throws: `server`, `connectionLost`, `cancelled`, `timedOut` or `protocolViolation`.
    package func query(_ query: PostgresQuery) throws(PostgresError) -> PostgresResult {
        try run(query, as: .ordinary)
    }

    /// The server's clock.
    /// - Throws: as `query(_:)`.
    package func clock() throws(PostgresError) -> PostgresTimestamp { try query("SELECT clock_timestamp()")[0].decode(PostgresTimestamp.self) }

    /// Runs one statement and returns how many rows it changed.
    /// - Throws: as `query(_:)`.
    @discardableResult
    package func execute(_ query: PostgresQuery) throws(PostgresError) -> Int {
        try run(query, as: .ordinary).affectedRows
    }

    /// Runs several statements given as text, by the simple protocol; for migrations only. It stops at the first error; outside a
    /// transaction the whole text is one.
    /// - Throws: as `query(_:)`.
    package func unsafeScript(_ sql: String) throws(PostgresError) {
        try statement(sql: sql, as: .ordinary) { () throws(PostgresError) in
            try self.requireNoNull(sql)
            guard PQsendQuery(self.pointer, sql) == 1 else { throw self.sendFailure() }
            try self.flush()
            _ = try self.collect(sql: sql)
        }
    }

    func run(_ query: PostgresQuery, as role: StatementRole) throws(PostgresError) -> PostgresResult {
        try statement(sql: query.sql, as: role) { () throws(PostgresError) in
            try self.validate(query)
            try self.send(query)
            try self.flush()
            guard let result = try self.collect(sql: query.sql) else { throw self.lost() }
            return result
        }
    }

    /// Frames what runs on the wire, so that a cancel request aims at it and nothing later, and so that its time is limited.
    func statement<Value>(
        sql: String?, as role: StatementRole, _ body: () throws(PostgresError) -> Value
    ) throws(PostgresError) -> Value {
        guard isHealthy else { throw PostgresError(.connectionLost, "the connection was lost earlier") }
        patience = Patience(role, limit: limit)
        guard patience.end > .now else { throw PostgresError(.timedOut, "before it was sent") }
        try cancellation.start(as: role)
        do throws(PostgresError) {
            let value = try body()
            if cancellation.finish() == .underWay { isBroken = true }
            return value
        } catch {
            if PQstatus(pointer) != CONNECTION_OK { isBroken = true }
            if error.sqlState == .readOnlyTransaction, !(isDeclaredReadOnly && isInTransaction) { hasRefusedWrite = true }
            let aim = cancellation.finish(isAnswered: isHealthy)
            if aim == .underWay { isBroken = true }
            if aim != .none, error.kind == .server, error.sqlState == .queryCanceled {
                throw error.recast(as: patience.isLate ? .timedOut : .cancelled)
            }
            throw error
        }
    }

    /// From here on the session refuses to run anything.
    func markBroken() { isBroken = true }

    /// Whether nothing waits to be read. Between statements a server has nothing to say but farewell, so what waits means that the
    /// connection is dead, or so near it that a new one is the better choice. Costs one system call.
    func isQuiet() -> Bool {
        var descriptor = pollfd(fd: PQsocket(pointer), events: Int16(POLLIN), revents: 0)
        return poll(&descriptor, 1, 0) == 0
    }

    /// Reads all results of what was sent by one call, and returns the last.
    private func collect(sql: String) throws(PostgresError) -> PostgresResult? {
        var last: PostgresResult?
        var failure: PostgresError?
        while let next = try nextResult() {
            let result = PostgresResult(pointer: next)
            switch result.outcome(sql: sql) {
            case .success: last = result
            case .failure(let error): failure = failure ?? error
            case .copy:
                isBroken = true
                throw PostgresError(.protocolViolation, "COPY is not supported here")
            case .sync, .skipped:
                isBroken = true
                throw PostgresError(.protocolViolation, "an answer of a pipeline outside of one")
            }
        }
        guard PQstatus(pointer) == CONNECTION_OK else { throw lost(failure) }
        if let failure { throw failure }
        return last
    }

    /// What a lost connection is reported as; the server's last words are kept where it said any.
    func lost(_ failure: PostgresError? = nil) -> PostgresError {
        isBroken = true
        if let failure { return failure.recast(as: .connectionLost) }
        let reason = Self.oneLine(PQerrorMessage(pointer))
        return PostgresError(.connectionLost, nil, sqlState: nil, serverMessage: reason, sql: nil)
    }

    func sendFailure() -> PostgresError {
        if PQstatus(pointer) != CONNECTION_OK { return lost() }
        isBroken = true
        let reason = Self.oneLine(PQerrorMessage(pointer))
        return PostgresError(.protocolViolation, "libpq refused to send", sqlState: nil, serverMessage: reason, sql: nil)
    }

    private static func oneLine(_ text: UnsafeMutablePointer<CChar>?) -> String {
        guard let text else { return "" }
        return String(cString: text).split(whereSeparator: \.isNewline).joined(separator: " ")
    }

    /// Lends a NULL-terminated array of C strings.
    static func withCStrings<Result>(
        _ strings: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>?) -> Result
    ) -> Result {
        let copies = strings.map { strdup($0) }
        defer {
            for copy in copies {
                // The password is among them; it should not stay behind in freed memory.
                if let copy { explicit_bzero(copy, strlen(copy)) }
                free(copy)
            }
        }
        let pointers = copies.map { UnsafePointer($0) } + [nil]
        return pointers.withUnsafeBufferPointer { body($0.baseAddress) }
    }
}
