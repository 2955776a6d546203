extension PostgresSession {
    /// Runs `body` in a transaction: commits when it returns, rolls back when it throws.
    ///
    /// BEGIN and its time-outs are one round trip.
    /// - Throws: what `body` throws; `commitOutcomeUnknown` when the connection broke or the time ran out in COMMIT; `transactionAborted` when the
    ///   server turned COMMIT into a rollback because an earlier error had been swallowed.
    @discardableResult
    package func transaction<Value>(
        _ options: TransactionOptions = TransactionOptions(), _ body: (PostgresSession) throws -> Value
    ) throws -> Value {
        try transaction(options, opening: []) { session, _ in (try body(session), closing: []) }
    }

    /// As ``transaction(_:_:)``, in two round trips where `body` sends nothing itself: first statements travel with BEGIN, last ones with COMMIT.
    /// - Parameters:
    ///   - queries: The first statements.
    ///   - body: Is given their results, and returns the last statements beside its value.
    @discardableResult
    package func transaction<Value>(
        _ options: TransactionOptions = TransactionOptions(), opening queries: [PostgresQuery],
        _ body: (PostgresSession, [PostgresResult]) throws -> (Value, closing: [PostgresQuery])
    ) throws -> Value {
        let results = try begin(options, then: queries)
        let (value, closing): (Value, [PostgresQuery])
        do {
            (value, closing) = try body(self, results)
        } catch {
            rollback()
            throw error
        }
        try commit(after: closing)
        return value
    }

    /// Opens a transaction and runs its first statements in the same round trip; the caller must `commit` or `rollback`.
    /// - Parameter meanwhile: as in `pipeline`.
    /// - Returns: the results of `queries`.
    /// - Throws: as `pipeline`, the failed statement counted among `queries`; no transaction is open then.
    @discardableResult
    package func begin(
        _ options: TransactionOptions = TransactionOptions(), then queries: [PostgresQuery] = [], meanwhile: () -> Void = {}
    ) throws(PostgresError) -> [PostgresResult] {
        guard !isInTransaction else { throw PostgresError(.protocolViolation, "a transaction is open already") }
        let opening = options.openingStatements(within: limit)
        isDeclaredReadOnly = options.isReadOnly
        do throws(PostgresError) {
            return Array(try pipeline(opening + queries, meanwhile: meanwhile).dropFirst(opening.count))
        } catch {
            rollback()
            throw error.shiftingStatementIndex(by: -opening.count)
        }
    }

    /// Runs the last statements of a transaction and commits it, in one round trip.
    /// - Returns: the results of `queries`.
    /// - Throws: as `pipeline`, after a rollback; `commitOutcomeUnknown` when the connection broke; `transactionAborted`.
    @discardableResult
    package func commit(after queries: [PostgresQuery] = []) throws(PostgresError) -> [PostgresResult] {
        guard isInTransaction else { throw PostgresError(.protocolViolation, "no transaction is open") }
        do throws(PostgresError) {
            var results = try queries.isEmpty ? [run("COMMIT", as: .commit)] : pipeline(queries + ["COMMIT"], as: .commit)
            let commit = results.removeLast()
            guard commit.commandTag == "COMMIT" else { throw PostgresError(.transactionAborted) }
            return results
        } catch {
            // Before anything was sent the outcome is known: `statement` refuses an unhealthy session with this kind too, but then
            // `isInTransaction` was false above.
            guard error.kind != .connectionLost else { throw error.recast(as: .commitOutcomeUnknown) }
            rollback()
            throw error
        }
    }

    /// Ends the transaction without effect, if one is open. A session where that fails is broken and will be replaced.
    package func rollback() {
        guard isHealthy, isInTransaction else { return }
        do throws(PostgresError) {
            _ = try run("ROLLBACK", as: .cleanup)
        } catch {
            markBroken()
        }
    }
}

extension PostgresError {
    /// Counts the failed statement among the caller's own; one before them has no index.
    fileprivate func shiftingStatementIndex(by offset: Int) -> PostgresError {
        var copy = self
        copy.failedStatementIndex = failedStatementIndex.flatMap { $0 + offset >= 0 ? $0 + offset : nil }
        return copy
    }
}
