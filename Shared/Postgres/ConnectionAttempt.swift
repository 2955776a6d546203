internal import BlockingCalls
internal import CLibPQ
internal import Glibc

/// How a server answers somebody who wants to connect; for checks of who may go where.
package enum ConnectionAttempt: Sendable, Hashable {
    /// The role was let in and ran a statement.
    case accepted
    /// The server, or the pooler before it, said no and gave this reason.
    case refused(SQLState)
    /// Nobody answered in time, or not with an answer that says who may connect.
    case unreachable

    /// Whether the role stays outside: it is unknown there, not let in, or the database is not there.
    ///
    /// A server that is full or shutting down refuses too, but would let the role in at another time.
    package var isRefusalForGood: Bool {
        guard case .refused(let state) = self else { return false }
        return state.rawValue.hasPrefix("28") || Self.lastingRefusals.contains(state)
    }

    /// No CONNECT privilege; no such database; and what PgBouncer 1.18 says whatever the server's reason was.
    private static let lastingRefusals: Set<SQLState> = [
        .insufficientPrivilege, SQLState(rawValue: "3D000"), SQLState(rawValue: "08P01"),
    ]
}

extension PostgresConfiguration {
    /// Tries to connect and to run one statement, and leaves again.
    ///
    /// Connecting alone would not do: PgBouncer lets its clients in before it asks the server.
    package func attempt(within limit: Duration) async -> ConnectionAttempt {
        let pairs = keywordsAndValues
        return await BlockingThread.run { ConnectionProbe(deadline: .now + limit).result(of: pairs) } ?? .unreachable
    }
}

/// Asks whether a server that is taking its time still lets anybody in.
struct ServerProbe: Sendable {
    /// In a row without an answer, before the server counts as gone.
    static let attempts = 3

    let configuration: PostgresConfiguration

    /// A refusal is an answer. Blocks, for the limit at most.
    func isAnswered(within limit: Duration) -> Bool {
        ConnectionProbe(deadline: .now + limit).result(of: configuration.keywordsAndValues) != .unreachable
    }
}

/// One attempt, step by step, so that its reason can be asked for as a code and its time is bounded.
///
/// `PQconnectdbParams` tells the reason in the server's language only.
struct ConnectionProbe {
    let deadline: ContinuousClock.Instant

    func result(of pairs: [(keyword: String, value: String)]) -> ConnectionAttempt {
        let connection = PostgresSession.withCStrings(pairs.map(\.keyword)) { keywords in
            PostgresSession.withCStrings(pairs.map(\.value)) { values in PQconnectStartParams(keywords, values, 0) }
        }
        guard let connection else { return .unreachable }
        defer { PQfinish(connection) }
        PQsetErrorVerbosity(connection, PQERRORS_SQLSTATE)
        _ = PQsetNoticeProcessor(connection, { _, _ in }, nil)
        switch connect(connection) {
        case .accepted: return statement(connection)
        case let other: return other
        }
    }

    private func connect(_ connection: OpaquePointer) -> ConnectionAttempt {
        guard PQstatus(connection) != CONNECTION_BAD else { return .unreachable }
        var step = PGRES_POLLING_WRITING
        while true {
            switch step {
            case PGRES_POLLING_OK: return .accepted
            case PGRES_POLLING_FAILED: return Self.reason(connection)
            case PGRES_POLLING_READING: guard wait(connection, for: POLLIN) else { return .unreachable }
            default: guard wait(connection, for: POLLOUT) else { return .unreachable }
            }
            step = PQconnectPoll(connection)
        }
    }

    private func statement(_ connection: OpaquePointer) -> ConnectionAttempt {
        guard PQsendQuery(connection, "SELECT 1") == 1 else { return .unreachable }
        while PQisBusy(connection) == 1 {
            guard wait(connection, for: POLLIN) else { return .unreachable }
            guard PQconsumeInput(connection) == 1 else { return Self.reason(connection) }
        }
        guard let result = PQgetResult(connection) else { return .unreachable }
        defer { PQclear(result) }
        if PQresultStatus(result) == PGRES_TUPLES_OK { return .accepted }
        let fieldOfSQLState = Int32(UInt8(ascii: "C"))
        guard let state = PQresultErrorField(result, fieldOfSQLState) else { return .unreachable }
        return .refused(SQLState(rawValue: String(cString: state)))
    }

    private func wait(_ connection: OpaquePointer, for event: Int32) -> Bool {
        while true {
            let left = deadline - .now
            guard left > .zero else { return false }
            var entry = pollfd(fd: PQsocket(connection), events: Int16(event), revents: 0)
            let count = poll(&entry, 1, Int32(clamping: left / .milliseconds(1) < 1 ? 1 : Int(left / .milliseconds(1))))
            if count > 0 { return true }
            if count < 0, errno != EINTR { return false }
        }
    }

    /// The code at the end of libpq's last line, whose words before it depend on the server's language.
    private static func reason(_ connection: OpaquePointer) -> ConnectionAttempt {
        // libpq itself gave up: the server asks for a password, and the role has none to give.
        if PQconnectionNeedsPassword(connection) == 1 { return .refused(SQLState(rawValue: "28P01")) }
        let message = PQerrorMessage(connection).map { String(cString: $0) } ?? ""
        guard let line = message.split(separator: "\n").last, let word = line.split(separator: " ").last, word.utf8.count == 5,
            line.hasSuffix("  \(word)"), word.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) })
        else { return .unreachable }
        return .refused(SQLState(rawValue: String(word)))
    }
}
