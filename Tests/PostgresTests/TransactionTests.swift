import Dispatch
import Postgres
import TestSupport
import Testing

@Suite struct TransactionTests {
    private struct Refusal: Error {}

    /// A database of the test's own with a table of two rows.
    private func makePool(connections: Int = 4) async throws -> PostgresPool {
        let database = try await PostgresServer.shared().makeDatabase()
        let options = PoolOptions(maximumConnections: connections, acquireTimeout: .seconds(10))
        let pool = PostgresPool(configuration: try PostgresConfiguration(url: database.ownerURL), options: options)
        try await pool.withSession { session in
            try session.unsafeScript("CREATE TABLE account (id int8 PRIMARY KEY, n int8 NOT NULL); INSERT INTO account VALUES (1, 0), (2, 0)")
        }
        return pool
    }

    private func values(_ pool: PostgresPool) async throws -> [Int64] {
        try await pool.withSession { session in
            try session.query("SELECT n FROM account ORDER BY id").map { try $0.decode(Int64.self) }
        }
    }

    @Test func `a transaction commits when its body returns and rolls back when it throws`() async throws {
        let pool = try await makePool()
        try await pool.withTransaction { session in
            #expect(session.isInTransaction)
            try session.execute("UPDATE account SET n = 7 WHERE id = 1")
        }
        await #expect(throws: Refusal.self) {
            try await pool.withTransaction { session in
                try session.execute("UPDATE account SET n = 8 WHERE id = 1")
                throw Refusal()
            }
        }
        #expect(try await values(pool) == [7, 0])
        #expect(pool.statistics.inUse == 0)
    }

    @Test func `what a transaction promises does not rest on what its role's or database's settings say`() async throws {
        let database = try await PostgresServer.shared().makeDatabase()
        let settings = [
            "synchronous_commit": "off", "default_transaction_isolation": "serializable", "default_transaction_deferrable": "on",
        ]
        for (name, value) in settings {
            try await database.server.execute(["ALTER DATABASE \(database.name) SET \(name) = '\(value)'"])
        }
        let pool = PostgresPool(configuration: try PostgresConfiguration(url: database.servingURL))
        let seen = try await pool.withTransaction { session in
            try session.query("SELECT current_setting('synchronous_commit'), current_setting('transaction_isolation')")[0]
                .decode(String.self, String.self)
        }
        #expect(seen == ("on", "read committed"))
        let opening = try await pool.withSession { session in
            defer { session.rollback() }
            return try session.begin(then: ["SELECT current_setting('synchronous_commit')"])[0][0].decode(String.self)
        }
        #expect(opening == "on")
        // Of this transaction alone.
        let after = try await pool.withSession { session in
            try session.query("SELECT current_setting('synchronous_commit')")[0].decode(String.self)
        }
        #expect(after == "off")
        await pool.close()
    }

    @Test func `the first and last statements may share BEGIN's and COMMIT's round trip`() async throws {
        let pool = try await makePool()
        let seen = try await pool.withSession { session in
            let options = TransactionOptions(isolation: .repeatableRead, statementTimeout: .seconds(9), lockTimeout: .seconds(3))
            let first = try session.begin(
                options,
                then: [
                    "SELECT current_setting('transaction_isolation'), current_setting('statement_timeout'), current_setting('lock_timeout')"
                ])
            let last = try session.commit(after: ["UPDATE account SET n = 5 WHERE id = 2", "SELECT n FROM account WHERE id = 2"])
            #expect(!session.isInTransaction)
            #expect(try last[1][0].decode(Int64.self) == 5)
            #expect(try session.query("SHOW lock_timeout")[0].decode(String.self) == "0")
            return try first[0][0].decode(String.self, String.self, String.self)
        }
        #expect(seen == ("repeatable read", "9s", "3s"))
        #expect(try await values(pool) == [0, 5])
    }

    @Test func `a transaction is given what its first statements found, and commits its last ones or nothing`() async throws {
        let pool = try await makePool()
        let found = try await pool.withTransaction(opening: ["SELECT n FROM account WHERE id = 2 FOR UPDATE"]) { session, results in
            #expect(session.isInTransaction)
            try session.execute("UPDATE account SET n = 3 WHERE id = 1")
            return (try results[0][0].decode(Int64.self), closing: ["UPDATE account SET n = 4 WHERE id = 2"])
        }
        #expect(found == 0)
        #expect(try await values(pool) == [3, 4])
        // Neither the body's statement nor the first of the last ones outlives the failure of another.
        let failure = await postgresFailure {
            try await pool.withTransaction(opening: []) { session, _ in
                try session.execute("UPDATE account SET n = 5 WHERE id = 1")
                return ((), closing: ["UPDATE account SET n = 6 WHERE id = 2", "SELECT 1/0"])
            }
        }
        #expect(failure?.failedStatementIndex == 1)
        #expect(try await values(pool) == [3, 4])
    }

    @Test func `a failure beside BEGIN or COMMIT rolls back and counts the caller's statements`() async throws {
        let pool = try await makePool()
        try await pool.withSession { session in
            let options = TransactionOptions(lockTimeout: .seconds(1))
            let early = postgresError { _ = try session.begin(options, then: ["SELECT 1", "SELECT 1/0"]) }
            #expect(early?.failedStatementIndex == 1)
            #expect(!session.isInTransaction)
            _ = try session.begin(options)
            let late = postgresError { _ = try session.commit(after: ["UPDATE account SET n = 9", "SELECT 1/0"]) }
            #expect(late?.failedStatementIndex == 1)
            #expect(!session.isInTransaction)
            #expect(postgresError { _ = try session.commit() }?.kind == .protocolViolation)
        }
        #expect(try await values(pool) == [0, 0])
    }

    @Test func `a read-only transaction refuses to write`() async throws {
        let pool = try await makePool()
        let error = await postgresFailure {
            try await pool.withTransaction(TransactionOptions(isReadOnly: true)) { session in
                try session.execute("UPDATE account SET n = 1")
            }
        }
        #expect(error?.sqlState == .readOnlyTransaction)
    }

    @Test func `a swallowed error cannot pass for a commit`() async throws {
        let pool = try await makePool()
        let error = await postgresFailure {
            try await pool.withTransaction { session in
                try session.execute("UPDATE account SET n = 3")
                _ = postgresError { try session.execute("SELECT 1/0") }
            }
        }
        #expect(error?.kind == .transactionAborted)
        #expect(try await values(pool) == [0, 0])
    }

    @Test func `a transaction left open is rolled back before the next borrower`() async throws {
        let pool = try await makePool(connections: 1)
        try await pool.withSession { session in
            try session.execute("BEGIN")
            try session.execute("UPDATE account SET n = 4")
        }
        #expect(try await values(pool) == [0, 0])
    }

    @Test(.timeLimit(.minutes(3))) func `real deadlocks are retried until all have committed`() async throws {
        let pool = try await makePool()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (first, second) in [(Int64(1), Int64(2)), (2, 1), (1, 2), (2, 1)] {
                group.addTask {
                    try await pool.withTransaction { session in
                        try session.execute("UPDATE account SET n = n + 1 WHERE id = \(first)")
                        try session.execute("SELECT pg_sleep(0.05)")
                        try session.execute("UPDATE account SET n = n + 1 WHERE id = \(second)")
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try await values(pool) == [4, 4])
    }

    @Test func `a deadlock's error says so and is retryable`() async throws {
        let pool = try await makePool()
        // Each says that it has its first row, and waits until the other has, too.
        let has = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let errors: [PostgresError] = await withTaskGroup(of: PostgresError?.self) { group in
            for (first, second, mine, theirs) in [(Int64(1), Int64(2), has.0, has.1), (2, 1, has.1, has.0)] {
                group.addTask {
                    await postgresFailure {
                        try await pool.withSession { session in
                            try session.transaction { session in
                                try session.execute("UPDATE account SET n = n + 1 WHERE id = \(first)")
                                mine.signal()
                                _ = theirs.wait(timeout: .now() + 30)
                                try session.execute("UPDATE account SET n = n + 1 WHERE id = \(second)")
                            }
                        }
                    }
                }
            }
            return await group.reduce(into: [PostgresError]()) { if let error = $1 { $0.append(error) } }
        }
        #expect(errors.map(\.sqlState) == [.deadlockDetected])
        #expect(errors.map(\.isRetryable) == [true])
    }

    @Test(.timeLimit(.minutes(3))) func `serialization failures are retried and lose no update`() async throws {
        let pool = try await makePool()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<3 {
                group.addTask {
                    try await pool.withTransaction(TransactionOptions(isolation: .serializable)) { session in
                        let n = try session.query("SELECT n FROM account WHERE id = 1")[0].decode(Int64.self)
                        try session.execute("SELECT pg_sleep(0.02)")
                        try session.execute("UPDATE account SET n = \(n + 1) WHERE id = 1")
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try await values(pool) == [3, 0])
    }

    @Test func `statement and lock time-outs end a transaction, not the session`() async throws {
        let pool = try await makePool(connections: 2)
        let slow = await postgresFailure {
            try await pool.withTransaction(TransactionOptions(statementTimeout: .milliseconds(30))) { session in
                try session.execute(.hanging())
            }
        }
        #expect(slow?.kind == .server)
        #expect(slow?.sqlState == .queryCanceled)
        #expect(slow?.isTimeout == true)
        let blocked: PostgresError? = try await pool.withTransaction { session in
            try session.execute("UPDATE account SET n = 1 WHERE id = 1")
            return try waitForOther(pool)
        }
        #expect(blocked?.sqlState == .lockNotAvailable)
        #expect(blocked?.isTimeout == true)
        #expect(pool.statistics.totalDiscarded == 0)
    }

    /// Runs a second, blocked transaction while the caller's thread holds its lock.
    private func waitForOther(_ pool: PostgresPool) throws -> PostgresError? {
        let done = Signal<PostgresError?>()
        Task {
            done.send(
                await postgresFailure {
                    try await pool.withTransaction(TransactionOptions(lockTimeout: .milliseconds(30))) { session in
                        try session.execute("UPDATE account SET n = 2 WHERE id = 1")
                    }
                })
        }
        return done.wait()
    }

    @Test func `a connection lost in COMMIT leaves an unknown outcome, lost before it does not`() async throws {
        let server = try await PostgresServer.shared()
        let database = try await server.makeDatabase()
        try await server.execute(
            [
                "CREATE TABLE marks (n int)",
                """
                CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(10); RETURN NULL; END $$
                """,
                "CREATE CONSTRAINT TRIGGER die AFTER INSERT ON marks DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION die()",
            ], database: database.name)
        let pool = PostgresPool(configuration: try PostgresConfiguration(url: database.superuserURL))
        let inCommit = await postgresFailure {
            try await pool.withTransaction { session in try session.execute("INSERT INTO marks VALUES (1)") }
        }
        #expect(inCommit?.kind == .commitOutcomeUnknown)
        let before = await postgresFailure {
            try await pool.withTransaction { session in try session.execute("SELECT pg_terminate_backend(pg_backend_pid())") }
        }
        #expect(before?.kind == .connectionLost)
        let piped = await postgresFailure {
            try await pool.withSession { session in
                _ = try session.begin()
                _ = try session.commit(after: ["INSERT INTO marks VALUES (2)"])
            }
        }
        #expect(piped?.kind == .commitOutcomeUnknown)
    }
}
