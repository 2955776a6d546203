import Contracts
import Postgres
import ServiceDatabase
import TestSupport
import Testing

@Suite("A service's database: what callers are told of it")
struct DatabaseProblemTests {
    @Test(
        "what nobody's statement would pass is 503 with Retry-After; what is the statement's own fault is no answer of ours",
        arguments: [
            ("25006", true), ("53100", true), ("53000", true), ("53200", true), ("53300", true), ("57P03", true), ("58030", true),
            ("40001", true), ("55P03", true), ("57014", true), ("22012", false), ("23514", false), ("42501", false), ("XX001", false),
        ])
    func outage(_ state: String, isOutage: Bool) async throws {
        let connection = try await PostgresServer.shared().superuserConnection()
        let raise = "DO $$ BEGIN RAISE SQLSTATE '\(state)'; END $$"
        let error = try #require(
            await #expect(throws: PostgresError.self) {
                try await connection.withSession { session in _ = try session.query(PostgresQuery(unsafeSQL: raise)) }
            })
        await connection.close()
        #expect(error.sqlState?.rawValue == state)
        let problem = Problem(error)
        #expect(problem?.code == (isOutage ? .unavailable : nil))
        #expect(problem?.retryAfterSeconds == (isOutage ? 1 : nil))
    }
}
