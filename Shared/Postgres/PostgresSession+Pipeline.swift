internal import CLibPQ

extension PostgresSession {
    /// Sends several statements at once and reads their results: one round trip.
    ///
    /// The statements run in order, each with a snapshot of its own, and see what the earlier ones did. Outside of a transaction they
    /// are one: all of them or none.
    /// - Parameter meanwhile: runs once everything is sent, while the server works; not at all when sending fails.
    /// - Throws: the first failure, with `failedStatementIndex`, after all answers were read; later statements did not run. The
    ///   session is usable afterwards unless the connection was lost.
    package func pipeline(
        _ queries: [PostgresQuery], meanwhile: () -> Void = {}
    ) throws(PostgresError) -> [PostgresResult] {
        try pipeline(queries, as: .ordinary, meanwhile: meanwhile)
    }

    func pipeline(
        _ queries: [PostgresQuery], as role: StatementRole, meanwhile: () -> Void = {}
    ) throws(PostgresError) -> [PostgresResult] {
        guard !queries.isEmpty else { return [] }
        return try statement(sql: nil, as: role) { () throws(PostgresError) in
            for query in queries { try self.validate(query) }
            guard PQenterPipelineMode(self.pointer) == 1 else { throw self.sendFailure() }
            for query in queries { try self.send(query) }
            guard PQpipelineSync(self.pointer) == 1 else { throw self.sendFailure() }
            try self.flush()
            meanwhile()
            let (results, failure) = try self.drainPipeline(queries)
            guard PQexitPipelineMode(self.pointer) == 1 else { throw self.sendFailure() }
            if let failure { throw failure }
            return results
        }
    }

    private func drainPipeline(_ queries: [PostgresQuery]) throws(PostgresError) -> ([PostgresResult], PostgresError?) {
        var results: [PostgresResult] = []
        results.reserveCapacity(queries.count)
        var failure: PostgresError?
        for (index, query) in queries.enumerated() {
            // Each statement's answer is one result and then a NULL.
            while let next = try nextResult() {
                let result = PostgresResult(pointer: next)
                switch result.outcome(sql: query.sql) {
                case .success: results.append(result)
                case .failure(var error):
                    error.failedStatementIndex = index
                    failure = failure ?? error
                case .skipped: break
                case .copy, .sync:
                    markBroken()
                    throw PostgresError(.protocolViolation, "an unexpected answer in a pipeline")
                }
                guard PQstatus(pointer) == CONNECTION_OK else { throw lost(failure) }
            }
            guard PQstatus(pointer) == CONNECTION_OK else { throw lost(failure) }
        }
        guard let next = try nextResult() else { throw lost(failure) }
        guard case .sync = PostgresResult(pointer: next).outcome(sql: nil) else { throw lost(failure) }
        return (results, failure)
    }
}
