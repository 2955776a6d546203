package import Contracts
package import Postgres

extension Problem {
    /// What a caller is told when a database did not do what was asked; nil for what is a mistake of ours.
    package init?(_ error: PostgresError) {
        if error.kind == .commitOutcomeUnknown {
            self.init(.outcomeUnknown, retryAfterSeconds: 1)
        } else if error.isOutage || error.isTimeout || error.isRetryable || error.kind == .cancelled || error.kind == .timedOut {
            self.init(.unavailable, retryAfterSeconds: 1)
        } else {
            return nil
        }
    }
}
