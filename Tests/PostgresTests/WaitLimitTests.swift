import Dispatch
import Postgres
import TestSupport
import Testing

/// No wait for a server is without an end, whatever the server does; where it is frozen, the end comes while it still is.
@Suite("Limits of waiting", .timeLimit(.minutes(3)))
struct WaitLimitTests {
    @Test("a statement that waits for a lock is given up at its limit, and the session lives on")
    func lockedTable() async throws {
        let server = try await PostgresServer.shared()
        let database = try await server.makeDatabase()
        try await server.execute(["CREATE TABLE locked (n int)"], database: database.name)
        let holder = try await server.superuserConnection(database: database.name)
        let reader = try await server.superuserConnection(database: database.name)
        let before = try await reader.withSession { session in session.backendProcessID }
        try await holder.withSession { session in
            try session.transaction { session in
                try session.execute("LOCK TABLE locked IN ACCESS EXCLUSIVE MODE")
                let errors = Locked<[PostgresError?]>([])
                let isDone = DispatchSemaphore(value: 0)
                Task {
                    for isPipelined in [false, true] {
                        let error = await postgresFailure {
                            try await reader.withSession(within: .within(.milliseconds(200))) { session in
                                _ = try isPipelined ? session.pipeline(["SELECT 1", "SELECT FROM locked"]) : [session.query("SELECT FROM locked")]
                            }
                        }
                        errors.withLock { $0.append(error) }
                    }
                    isDone.signal()
                }
                #expect(isDone.wait(timeout: .now() + 20) == .success)
                #expect(errors.withLock { $0 }.map { $0?.kind } == [.timedOut, .timedOut])
                #expect(errors.withLock { $0 }.allSatisfy { $0?.isTimeout == true })
            }
        }
        let after = try await reader.withSession { session in
            _ = try session.query("SELECT FROM locked")
            return session.backendProcessID
        }
        #expect(after == before)
    }

    @Test("after the deadline nothing is sent, and what was open is rolled back")
    func pastDeadline() async throws {
        let connection = try await PostgresServer.shared().superuserConnection()
        try await connection.withSession { session in try session.unsafeScript("CREATE TEMP TABLE kept (n int)") }
        let error = await postgresFailure {
            try await connection.withSession(within: .within(.milliseconds(300))) { session in
                try session.transaction { session in
                    try session.execute("INSERT INTO kept VALUES (1)")
                    let first = postgresError { try session.execute(.hanging()) }
                    #expect(first?.isTimeout == true)
                    try session.execute("INSERT INTO kept VALUES (2)")
                }
            }
        }
        #expect(error?.kind == .timedOut)
        let kept = try await connection.withSession { session in try session.query("SELECT FROM kept").count }
        #expect(kept == 0)
    }

    @Test("a deadline caps the server's own time-out in a transaction")
    func serverTimeout() async throws {
        let connection = try await PostgresServer.shared().superuserConnection()
        let options = TransactionOptions(statementTimeout: .seconds(100))
        func timeout(_ limit: WaitLimit, _ options: TransactionOptions) async throws -> Int64 {
            try await connection.withSession(within: limit) { session in
                try session.transaction(options) { session in
                    try session.query("SELECT setting::int8 FROM pg_settings WHERE name = 'statement_timeout'")[0].decode(Int64.self)
                }
            }
        }
        let capped = try await timeout(.within(.seconds(50)), options)
        #expect((1...50_000).contains(capped))
        #expect(try await timeout(.within(.seconds(500)), options) == 100_000)
        #expect(try await timeout(.standard, TransactionOptions()) == 0)
    }

    @Test("a frozen server: a statement, a pipeline, a transaction's begin and its rollback all end, and the session is not used again")
    func frozen() async throws {
        try await PostgresServer.withSeparate { server in
            let connections = try await [server.superuserConnection(), server.superuserConnection(), server.superuserConnection()]
            let limit = WaitLimit.perStatement(.milliseconds(300))
            let open = try await server.superuserConnection()
            let (kinds, isFrozen) = try await server.whileFrozen {
                var kinds: [PostgresError.Kind?] = []
                kinds.append(await postgresFailure { try await connections[0].withSession(within: limit) { try $0.query("SELECT 1") } }?.kind)
                kinds.append(
                    await postgresFailure { try await connections[1].withSession(within: limit) { try $0.pipeline(["SELECT 1", "SELECT 2"]) } }?.kind)
                kinds.append(await postgresFailure { try await connections[2].withSession(within: limit) { try $0.transaction { _ in } } }?.kind)
                for connection in connections { #expect(await connection.isHealthy == false) }
                return kinds
            }
            #expect(isFrozen)
            #expect(kinds == [.connectionLost, .connectionLost, .connectionLost])
            for connection in connections { await connection.close() }
            let rollback = await postgresFailure {
                try await open.withSession(within: limit) { session in
                    try session.begin()
                    try server.freeze()
                    let thawing = server.thawing(after: .seconds(20))
                    defer {
                        thawing.cancel()
                        try? server.thaw()
                    }
                    session.rollback()
                    #expect(!session.isHealthy)
                    _ = try session.query("SELECT 1")
                }
            }
            #expect(rollback?.kind == .connectionLost)
        }
    }

    @Test("a frozen server: a COMMIT past its limit has an unknown outcome")
    func frozenCommit() async throws {
        try await PostgresServer.withSeparate { server in
            let connection = try await server.superuserConnection()
            let thawing = server.thawing(after: .seconds(20))
            defer {
                thawing.cancel()
                try? server.thaw()
            }
            let error = await postgresFailure {
                try await connection.withSession(within: .perStatement(.milliseconds(500))) { session in
                    try session.begin()
                    try session.execute("SELECT 1")
                    try server.freeze()
                    try session.commit(after: ["SELECT 2"])
                }
            }
            #expect(error?.kind == .commitOutcomeUnknown)
        }
    }

    @Test("a frozen server: cancelling a task ends its statement and its connecting, and closing waits for nobody")
    func frozenCancellation() async throws {
        try await PostgresServer.withSeparate { server in
            let configuration = try PostgresConfiguration(url: server.url(database: "postgres"), connectTimeout: .seconds(60))
            let pool = PostgresPool(configuration: configuration, options: PoolOptions(maximumConnections: 1))
            let observer = try await server.superuserConnection()
            let statement = Task {
                await postgresFailure { try await pool.withSession { session in try session.query(.hanging()) } }?.kind
            }
            let isRunning = try await eventually {
                try await observer.withSession { session in
                    try session.query("SELECT FROM pg_stat_activity WHERE state = 'active' AND query = \(PostgresQuery.hanging().sql)").count == 1
                }
            }
            #expect(isRunning)
            let (kinds, isFrozen) = try await server.whileFrozen {
                let connecting = Task { await postgresFailure { _ = try await PostgresConnection.connect(configuration) }?.kind }
                statement.cancel()
                connecting.cancel()
                let kinds = await [statement.value, connecting.value]
                await pool.close()
                return kinds
            }
            #expect(isFrozen)
            #expect(kinds == [.connectionLost, .cancelled])
        }
    }

    @Test("a caller of an exhausted pool is answered at its deadline, long before the pool's own time-out")
    func exhaustedPool() async throws {
        let configuration = try PostgresConfiguration(url: await PostgresServer.shared().url(database: "postgres"))
        let pool = PostgresPool(configuration: configuration, options: PoolOptions(maximumConnections: 1, acquireTimeout: .seconds(600)))
        let release = Signal<Bool>()
        async let holding: Void = pool.withSession { _ in _ = release.wait() }
        #expect(try await eventually { pool.statistics.inUse == 1 })
        let error = await postgresFailure { try await pool.withSession(within: .within(.milliseconds(100))) { _ in } }
        #expect(error?.kind == .poolTimeout)
        release.send(true)
        try await holding
    }

    @Test("a command's statement may take long while its server lives, and ends when the server answers nobody")
    func whileServerLives() async throws {
        try await PostgresServer.withSeparate { server in
            let connection = try await server.superuserConnection()
            let limit = WaitLimit.whileServerLives(asking: .milliseconds(500))
            let rows = try await connection.withSession(within: limit) { session in try session.query("SELECT pg_sleep(2)").count }
            #expect(rows == 1)
            let (error, isFrozen) = try await server.whileFrozen {
                await postgresFailure { try await connection.withSession(within: limit) { session in try session.query("SELECT 1") } }
            }
            #expect(isFrozen)
            #expect(error?.kind == .connectionLost)
        }
    }
}
