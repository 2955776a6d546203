import Dispatch
import Logging
import Postgres
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(3))) struct PoolTests {
    private func makePool(_ options: PoolOptions, server: PostgresServer? = nil) async throws -> PostgresPool {
        let server = try await PostgresServer.shared(unless: server)
        return PostgresPool(configuration: try PostgresConfiguration(url: server.url(database: "postgres")), options: options)
    }

    /// Borrows a connection and keeps it until `release` is sent; returns when it is borrowed.
    private func occupy(_ pool: PostgresPool, release: Signal<Void>) async throws -> Task<Void, any Error> {
        let isIn = Locked(false)
        let holder = Task {
            try await pool.withSession { _ in
                isIn.withLock { $0 = true }
                release.wait()
            }
        }
        #expect(try await eventually { isIn.withLock { $0 } })
        return holder
    }

    @Test func `no more connections are open than the bound, and all callers are served`() async throws {
        let pool = try await makePool(PoolOptions(maximumConnections: 3, acquireTimeout: .seconds(20)))
        let busiest = Locked((now: 0, most: 0))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<60 {
                group.addTask {
                    try await pool.withSession { session in
                        busiest.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
                        try session.execute("SELECT pg_sleep(0.002)")
                        busiest.withLock { $0.now -= 1 }
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(busiest.withLock { $0.most } <= 3)
        let statistics = pool.statistics
        #expect(statistics.totalAcquired == 60)
        #expect(statistics.totalOpened <= 3)
        #expect(statistics.inUse == 0)
        #expect(statistics.waiting == 0)
    }

    @Test func `callers are served in the order in which they came`() async throws {
        let pool = try await makePool(PoolOptions(maximumConnections: 1, acquireTimeout: .seconds(20)))
        let release = Signal<Void>()
        let holder = try await occupy(pool, release: release)
        let order = Locked<[Int]>([])
        var tasks: [Task<Void, any Error>] = []
        for number in 0..<8 {
            tasks.append(Task { try await pool.withSession { _ in order.withLock { $0.append(number) } } })
            #expect(try await eventually { pool.statistics.waiting == number + 1 })
        }
        release.send(())
        try await holder.value
        for task in tasks { try await task.value }
        #expect(order.withLock { $0 } == Array(0..<8))
    }

    @Test func `a caller gives up after the time-out, and too many callers are refused at once`() async throws {
        let pool = try await makePool(PoolOptions(maximumConnections: 1, maximumWaiters: 1, acquireTimeout: .milliseconds(300)))
        let release = Signal<Void>()
        let holder = try await occupy(pool, release: release)
        async let waiting = postgresFailure { try await pool.ping() }
        #expect(try await eventually { pool.statistics.waiting == 1 })
        #expect(await postgresFailure { try await pool.ping() }?.kind == .poolExhausted)
        #expect(await waiting?.kind == .poolTimeout)
        release.send(())
        try await holder.value
        try await pool.ping()
        let statistics = pool.statistics
        #expect(statistics.timeouts == 1)
        #expect(statistics.refusals == 1)
        #expect(statistics.waiting == 0)
    }

    @Test func `a cancelled caller leaves the queue and costs no connection`() async throws {
        let pool = try await makePool(PoolOptions(maximumConnections: 1, acquireTimeout: .seconds(20)))
        let release = Signal<Void>()
        let holder = try await occupy(pool, release: release)
        let waiting = Task { await postgresFailure { try await pool.ping() } }
        #expect(try await eventually { pool.statistics.waiting == 1 })
        waiting.cancel()
        #expect(await waiting.value?.kind == .cancelled)
        #expect(pool.statistics.waiting == 0)
        release.send(())
        try await holder.value
        try await pool.ping()
        #expect(pool.statistics.totalOpened == 1)
    }

    @Test func `a connection that the server ended is replaced unseen`() async throws {
        let pool = try await makePool(PoolOptions(maximumConnections: 1))
        let process = try await pool.withSession { session in session.backendProcessID }
        try await withSuperuserSession { session in
            try session.execute("SELECT pg_terminate_backend(\(process))")
        }
        #expect(
            try await eventually {
                try await withSuperuserSession { session in
                    try session.query("SELECT 1 FROM pg_stat_activity WHERE pid = \(process)").isEmpty
                }
            })
        try await pool.ping()
        #expect(pool.statistics.totalDiscarded == 1)
        #expect(pool.statistics.totalOpened == 2)
    }

    @Test func `a connection that dies in use is reported and not lent again`() async throws {
        let pool = try await makePool(PoolOptions(maximumConnections: 1))
        let error = await postgresFailure {
            try await pool.withSession { session in try session.execute("SELECT pg_terminate_backend(pg_backend_pid())") }
        }
        #expect(error?.kind == .connectionLost)
        try await pool.ping()
        #expect(pool.statistics.totalDiscarded == 1)
    }

    @Test func `the pool follows a server through stop, outage and restart`() async throws {
        let server = try await PostgresServer.startSeparate()
        let pool = try await makePool(PoolOptions(maximumConnections: 4, acquireTimeout: .seconds(3)), server: server)
        // Each holds its connection until all four are open.
        let holders = DispatchGroup()
        for _ in 0..<4 { holders.enter() }
        try await withThrowingTaskGroup(of: DispatchTimeoutResult.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    try await pool.withSession { session in
                        try session.execute("SELECT 1")
                        holders.leave()
                        return holders.wait(timeout: .now() + 30)
                    }
                }
            }
            for try await result in group { #expect(result == .success) }
        }
        #expect(pool.statistics.idle == 4)
        try await server.stop(.immediate)
        #expect(await postgresFailure { try await pool.ping() }?.kind == .connectFailed)
        try await server.start()
        #expect(try await eventually { await postgresFailure { try await pool.ping() } == nil })
        #expect(pool.statistics.connectFailures > 0)
        await pool.close()
        try await server.stop()
    }

    @Test func `an outage is a line in the log, however often connections are tried, and its end is one`() async throws {
        try await PostgresServer.withSeparate { server in
            let database = try await server.makeDatabase()
            let log = try ServiceLog(of: "pool")
            let pool = PostgresPool(
                configuration: try PostgresConfiguration(url: database.servingURL),
                options: PoolOptions(maximumConnections: 4, acquireTimeout: .milliseconds(50)), logger: log.logger(level: .info))
            try await server.stop()
            for _ in 0..<20 { _ = try? await pool.withSession { session in try session.execute("SELECT 1") } }
            try await server.start()
            let isBack = try await eventually { (try? await pool.withSession { session in try session.execute("SELECT 1") }) != nil }
            #expect(isBack)
            await pool.close()
            let lines = log.text.split(separator: "\n")
            // One for each reason: refused, and "starting up".
            #expect((1...4).contains(lines.count { $0.contains("could not be opened") }), "\(log.text)")
            #expect(lines.count { $0.contains("can be opened again") } >= 1)
            #expect(!log.text.contains("local-test-only"))
        }
    }

    @Test func `callers wait out a short restart`() async throws {
        let server = try await PostgresServer.startSeparate()
        let pool = try await makePool(PoolOptions(maximumConnections: 2, acquireTimeout: .seconds(30)), server: server)
        try await pool.ping()
        try await server.stop(.immediate)
        async let answer: Void = pool.ping()
        #expect(try await eventually { pool.statistics.connectFailures > 0 })
        try await server.start()
        try await answer
        await pool.close()
        try await server.stop()
    }

    @Test func `an aged connection is replaced when it comes back`() async throws {
        let pool = try await makePool(PoolOptions(maximumConnections: 1, maximumLifetime: .zero))
        try await pool.ping()
        try await pool.ping()
        #expect(pool.statistics.totalOpened == 2)
    }

    @Test func `idle connections are checked while the pool runs, and dead ones dropped`() async throws {
        let pool = try await makePool(PoolOptions(maximumConnections: 1, healthCheckInterval: .zero))
        let process = try await pool.withSession { session in session.backendProcessID }
        let running = Task { try await pool.run() }
        try await withSuperuserSession { session in try session.execute("SELECT pg_terminate_backend(\(process))") }
        #expect(try await eventually { pool.statistics.totalDiscarded == 1 })
        running.cancel()
        try await running.value
        #expect(await postgresFailure { try await pool.ping() }?.kind == .poolClosed)
    }

    @Test func `closing refuses new callers, tells the waiting ones and lets the borrower finish`() async throws {
        let pool = try await makePool(PoolOptions(maximumConnections: 1, acquireTimeout: .seconds(20)))
        let release = Signal<Void>()
        let holder = try await occupy(pool, release: release)
        async let waiting = postgresFailure { try await pool.ping() }
        #expect(try await eventually { pool.statistics.waiting == 1 })
        async let closing: Void = pool.close()
        #expect(await waiting?.kind == .poolClosed)
        #expect(await postgresFailure { try await pool.ping() }?.kind == .poolClosed)
        release.send(())
        try await holder.value
        await closing
        #expect(pool.statistics.inUse == 0)
        #expect(pool.statistics.idle == 0)
    }

    @Test(.timeLimit(.minutes(2))) func `callers that are cancelled in the moment in which their wait ends all get an answer`() async throws {
        let pool = try await makePool(PoolOptions(maximumConnections: 1, maximumWaiters: 10_000, acquireTimeout: .milliseconds(2)))
        _ = await postgresFailure { try await pool.ping() }
        #expect(try await eventually { pool.statistics.idle == 1 })
        let release = Signal<Void>()
        let holder = try await occupy(pool, release: release)
        for _ in 0..<30 {
            await withTaskGroup(of: Void.self) { callers in
                for _ in 0..<200 { callers.addTask { _ = try? await pool.ping() } }
                try? await Task.sleep(for: .milliseconds(2))
                callers.cancelAll()
            }
        }
        release.send(())
        try await holder.value
        #expect(try await eventually { pool.statistics.waiting == 0 })
    }
}
