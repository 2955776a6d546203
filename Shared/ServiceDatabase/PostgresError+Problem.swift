package import Contracts
package import Postgres

extension Problem {
    /// What a caller is told when a database did not do what was asked; nil for what is a mistake of ours.
    package init?(_ error: PostgresError) {
        switch error.kind {
        case .connectFailed, .connectionLost, .poolTimeout, .poolExhausted, .poolClosed, .cancelled, .timedOut:
            self.init(.unavailable, retryAfterSeconds: 1)
        case .commitOutcomeUnknown: self.init(.outcomeUnknown, retryAfterSeconds: 1)
        case .server where error.isTimeout || error.isRetryable: self.init(.unavailable, retryAfterSeconds: 1)
        case .server, .transactionAborted, .decoding, .protocolViolation, .invalidConfiguration: return nil
        }
    }
}
