package import Idempotency
package import Postgres

/// One transaction of a use case, done once for its `Idempotency-Key`; without a key it is a transaction like any other.
///
/// The record is written in the transaction of what it records. Of several requests with one key at the same time, on whichever replicas,
/// one commits; the others wait for it, run again and find its record.
package struct IdempotentTransaction<Outcome: IdempotentOutcome>: Sendable {
    /// How long another request with the same key, or with a lock that this one needs, is waited for.
    private static var lockTimeout: Duration { .seconds(2) }
    private static var statementTimeout: Duration { .seconds(5) }
    private static var idleTimeout: Duration { .seconds(5) }
    /// A second run finds what the first one collided with; a third one is for a collision with something else.
    private static var maximumRuns: Int { 3 }

    private let pool: PostgresPool
    private let store = IdempotencyStore<Outcome>()

    package init(pool: PostgresPool) {
        self.pool = pool
    }

    /// - Parameters:
    ///   - requestID: Stored with a refusal, and answered with it.
    ///   - deadline: When the caller gives up.
    ///   - decide: Decides and writes. It may run more than once, and nothing of a run that isn't the last is kept.
    ///   - recall: The body of a request that was done before, rendered from its rows; nil when the outcome is another route's.
    /// - Throws: `PostgresError`: nothing was done, unless it is of the kind `commitOutcomeUnknown`, after which the same key tells;
    ///   ``UnreadableIdempotencyRecord``; what `decide` and `recall` throw. Nothing was done.
    package func callAsFunction<Body>(
        _ key: IdempotencyKey?, _ fingerprint: RequestFingerprint, requestID: String, until deadline: ContinuousClock.Instant?,
        decide: @Sendable (PostgresSession) throws -> IdempotentDecision<Body, Outcome>,
        recall: @Sendable (PostgresSession, Outcome) throws -> Body?
    ) async throws -> IdempotentAnswer<Body, Outcome.Refused> {
        try await transaction(until: deadline) { session in
            if let key, let record = try store.record(session, of: key) {
                if let pointer = fingerprint.firstDifference(from: record.fingerprint) { return .keyReused(pointer: pointer) }
                if let (reason, requestID) = record.outcome.refusal { return .refused(reason, requestID: requestID, isReplay: true) }
                return try recall(session, record.outcome).map { .done($0, isReplay: true) } ?? .keyReused(pointer: "/route")
            }
            func remember(_ outcome: Outcome) throws {
                if let key { try store.insert(session, key, IdempotencyRecord(fingerprint, outcome)) }
            }
            // What is refused changes nothing, whatever was written before it was found out.
            try session.execute("SAVEPOINT decision")
            let decision = try decide(session)
            if !decision.isDone { try session.execute("ROLLBACK TO SAVEPOINT decision") }
            switch decision {
            case .done(let body, let outcome):
                try remember(outcome)
                return .done(body, isReplay: false)
            case .refused(let reason):
                try remember(.refused(reason, requestID: requestID))
                return .refused(reason, requestID: requestID, isReplay: false)
            case .refusedForNow(let reason): return .refused(reason, requestID: requestID, isReplay: false)
            }
        }
    }

    private func transaction<Body, Refused>(
        until deadline: ContinuousClock.Instant?, _ body: @Sendable (PostgresSession) throws -> IdempotentAnswer<Body, Refused>
    ) async throws -> IdempotentAnswer<Body, Refused> {
        let options = TransactionOptions(statementTimeout: Self.statementTimeout, lockTimeout: Self.lockTimeout, idleTimeout: Self.idleTimeout)
        var run = 1
        while true {
            do {
                return try await pool.withTransaction(options, within: WaitLimit(until: deadline), body)
            } catch let error as PostgresError where error.sqlState == .lockNotAvailable {
                return .inProgress
            } catch let error as PostgresError where error.sqlState == .uniqueViolation && run < Self.maximumRuns {
                run += 1
            } catch let error as PostgresError where error.sqlState == .integrityConstraintViolation && run == 1 {
                // A clock that stepped between its reading and the write: the second reading is not believed.
                run += 1
            }
        }
    }
}
