import Postgres
import TestSupport
import Testing

@Suite struct SessionTests {
    @Test func `a statement's bound values come back`() async throws {
        let connection = try await PostgresServer.shared().superuserConnection()
        let text = "'; DROP TABLE users; --"
        let (number, echoed) = try await connection.withSession { session in
            let row = try session.query("SELECT \(Int64(41)) + 1, \(text)")[0]
            return (try row.decode(0, as: Int64.self), try row.decode(1, as: String.self))
        }
        #expect(number == 42)
        #expect(echoed == text)
    }

    @Test func `a database is made, migrated by its owner and reached by its three roles`() async throws {
        let database = try await PostgresServer.shared().makeDatabase()
        for url in [database.ownerURL, database.servingURL, database.relayURL, database.superuserURL] {
            let pool = PostgresPool(configuration: try PostgresConfiguration(url: url))
            try await pool.ping()
            await pool.close()
        }
    }
}
