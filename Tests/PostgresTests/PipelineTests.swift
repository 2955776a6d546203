import Postgres
import TestSupport
import Testing

@Suite struct PipelineTests {
    @Test func `a pipeline answers in order, and each statement sees the earlier ones`() async throws {
        let (sums, rest) = try await withSuperuserSession { session in
            try session.unsafeScript("CREATE TEMP TABLE piped (n int8)")
            let results = try session.pipeline([
                "INSERT INTO piped VALUES (\(Int64(1)))", "SELECT sum(n)::int8 FROM piped", "INSERT INTO piped VALUES (\(Int64(2)))",
                "SELECT sum(n)::int8 FROM piped",
            ])
            let sums = try [1, 3].map { try results[$0][0].decode(Int64.self) }
            return (sums, [results[0].affectedRows, try session.pipeline([]).count])
        }
        #expect(sums == [1, 3])
        #expect(rest == [1, 0])
    }

    @Test func `an error in the middle names its statement, undoes the rest and leaves the session usable`() async throws {
        try await withSuperuserSession { session in
            try session.unsafeScript("CREATE TEMP TABLE piped (n int8 PRIMARY KEY)")
            let error = postgresError {
                _ = try session.pipeline([
                    "INSERT INTO piped VALUES (1)", "INSERT INTO piped VALUES (2)", "INSERT INTO piped VALUES (1)",
                    "INSERT INTO piped VALUES (3)",
                ])
            }
            #expect(error?.sqlState == .uniqueViolation)
            #expect(error?.failedStatementIndex == 2)
            #expect(session.isHealthy)
            #expect(!session.isInTransaction)
            #expect(try session.query("SELECT count(*) FROM piped")[0].decode(Int64.self) == 0)
            #expect(try session.pipeline(["SELECT 1", "SELECT 2"]).count == 2)
        }
    }

    @Test(.timeLimit(.minutes(3))) func `five megabytes in both directions do not deadlock`() async throws {
        let payload = String(repeating: "x", count: 256 * 1024)
        let total = try await withSuperuserSession { session in
            let results = try session.pipeline((0..<20).map { _ in "SELECT \(payload), generate_series(1, 2)" })
            return try results.reduce(0) { total, result in
                try result.reduce(total) { try $0 + $1.decode(String.self, Int32.self).0.utf8.count }
            }
        }
        #expect(total == 20 * 2 * 256 * 1024)
    }

    @Test func `a connection that dies in a pipeline is reported as lost`() async throws {
        let connection = try await PostgresServer.shared().superuserConnection()
        let error = await postgresFailure {
            try await connection.withSession { session in
                _ = try session.pipeline(["SELECT 1", "SELECT pg_terminate_backend(pg_backend_pid())", "SELECT 2"])
            }
        }
        #expect(error?.kind == .connectionLost)
        #expect(error?.isConnectionLost == true)
        #expect(await connection.isHealthy == false)
        let later = await postgresFailure { try await connection.withSession { session in try session.execute("SELECT 1") } }
        #expect(later?.kind == .connectionLost)
    }
}
