internal import Postgres

/// What an error that came out of a transaction says about the event, the database or neither.
enum FailureDiagnosis: Sendable, Hashable {
    /// Postgres aborted it for others' sake: again at once.
    case conflict
    /// The consumer's own database can't be used: nobody's fault, no attempt is used up.
    ///
    /// `isExplained` is false where the connection just broke in the middle or the server ran out of something: three of these at the same
    /// work, and the work is suspected. An event that makes the server crash must not be tried for ever.
    case outage(isExplained: Bool)
    /// The task was cancelled, the process ends.
    case cancelled
    case failure(EventFailure)

    init(_ error: any Error) {
        switch error {
        case let failure as EventFailure: self = .failure(failure)
        case let error as PostgresError: self = Self.of(error)
        case is CancellationError: self = .cancelled
        // Its text may quote the event.
        default: self = .failure(.transient("the handler failed with \(type(of: error))"))
        }
    }

    private static func of(_ error: PostgresError) -> FailureDiagnosis {
        if error.isRetryable { return .conflict }
        switch error.kind {
        case .connectFailed, .poolTimeout, .poolExhausted, .poolClosed: return .outage(isExplained: true)
        case .connectionLost, .commitOutcomeUnknown:
            return .outage(isExplained: error.sqlState.map { $0.isServerUnavailable } ?? false)
        case .cancelled: return .cancelled
        case .server:
            guard let state = error.sqlState else { return .failure(.transient("\(error)")) }
            if state.isServerUnavailable { return .outage(isExplained: true) }
            if state.isServerExhausted { return .outage(isExplained: false) }
            return .failure(.transient("\(error)"))
        case .timedOut, .transactionAborted, .decoding, .protocolViolation, .invalidConfiguration: return .failure(.transient("\(error)"))
        }
    }
}

extension SQLState {
    /// A lock was waited for in vain, or the statement ran too long: what is behind it may be next.
    var isTimeOut: Bool { rawValue == "55P03" || rawValue == "57014" }

    /// What was to be written is to blame: bad data, a violated constraint, too much of something (classes 22, 23 and 54).
    var isAboutContent: Bool { ["22", "23", "54"].contains { rawValue.hasPrefix($0) } }
}
