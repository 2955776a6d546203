import Postgres
import ServiceDatabase
import ServiceRuntime
import TestSupport
import Testing

@Suite("A service's database: migrate")
struct MigrateTests {
    @Test("a database that nobody has stamped becomes the service's, once, in the order of the folders")
    func first() async throws {
        let fixture = try await DatabaseFixture()
        try await fixture.database.server.execute(["DROP TABLE service_identity"], database: fixture.database.name)
        let unstamped = await #expect(throws: InvalidConfiguration.self) { try await fixture.check(url: fixture.database.servingURL) }
        #expect(unstamped?.description.contains("stamp_missing") == true)
        #expect(try await fixture.migrate() == ["outbox/0001_parts.sql", "wallet-ledger/0001_things.sql"])
        #expect(try await fixture.migrate().isEmpty)
        try await fixture.check(url: fixture.database.servingURL)
    }

    @Test("ten at once apply each migration once")
    func together() async throws {
        let fixture = try await DatabaseFixture()
        let applied = try await withThrowingTaskGroup(of: [String].self) { group in
            for _ in 0..<10 { group.addTask { try await fixture.migrate() } }
            return try await group.reduce(into: [String]()) { $0 += $1 }
        }
        #expect(applied.sorted() == ["outbox/0001_parts.sql", "wallet-ledger/0001_things.sql"])
    }

    @Test("the serving role may not migrate, and a folder that is not there is named")
    func refused() async throws {
        let fixture = try await DatabaseFixture()
        let serving = try fixture.database(url: fixture.database.servingURL)
        let refused = await #expect(throws: InvalidConfiguration.self) { _ = try await serving.migrate(as: "test", fixture.logger) }
        #expect(refused?.description.contains("database_not_owned: role wallet_ledger ") == true, "\(String(describing: refused))")
        let elsewhere = try fixture.database(
            url: fixture.database.ownerURL, of: DatabaseSchema(service: "wallet-ledger", shared: ["nowhere"]))
        let error = await #expect(throws: InvalidConfiguration.self) { _ = try await elsewhere.migrate(as: "test", fixture.logger) }
        #expect(error?.description.contains("shared/nowhere") == true, "\(String(describing: error))")
    }
}
