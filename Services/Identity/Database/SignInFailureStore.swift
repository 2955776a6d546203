import Contracts
import FoundationEssentials
import Outbox
import Postgres

/// Publishes that a credential was wrong.
struct SignInFailureStore {
    /// Says so of a user; for an account that does not exist it does the same work, and keeps nothing.
    ///
    /// What is rolled back to the savepoint has been written to the log like anything else, and is waited for in the same way: how long it
    /// takes does not tell whether the account exists.
    ///
    /// - Parameter isLast: Whether no more are taken for a while.
    /// - Throws: `PostgresError`.
    func append(_ session: PostgresSession, _ factor: SignInFactor, of user: UUID?, isLast: Bool, at now: Timestamp) throws {
        var random = SystemRandomNumberGenerator()
        let milliseconds = now.millisecondsSinceUnixEpoch
        let event = SignInFailedEvent(
            userID: user.map { UserID($0) } ?? .new(milliseconds: milliseconds, using: &random), factor: factor, isBlocked: isLast, failedAt: now)
        try session.execute("SAVEPOINT sign_in_failure")
        try OutboxWriter.append([OutboxEvent(event, id: .new(milliseconds: milliseconds, using: &random), at: now, traceparent: nil)], session)
        try session.execute(user == nil ? "ROLLBACK TO SAVEPOINT sign_in_failure" : "RELEASE SAVEPOINT sign_in_failure")
    }
}
