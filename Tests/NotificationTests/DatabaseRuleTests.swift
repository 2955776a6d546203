import Contracts
import Postgres
import TestSupport
import Testing

@testable import Notification

@Suite("What notification's database refuses")
struct DatabaseRuleTests {
    private func prepared() async throws -> NotificationFixture {
        let fixture = try await NotificationFixture()
        try await fixture.accept([try fixture.request(MessageContent(address: "a@b", code: "1"))])
        return fixture
    }

    @Test(
        "the serving role deletes nothing, and changes nothing of a delivery but that it erases its text",
        arguments: [
            "DELETE FROM deliveries", "TRUNCATE deliveries", "UPDATE deliveries SET purpose = 'x'", "UPDATE deliveries SET expires_at = now()",
            "UPDATE deliveries SET ciphertext = decode(repeat('00', 32), 'hex')", "UPDATE deliveries SET ciphertext = NULL",
            "DELETE FROM work_items", "UPDATE work_items SET expires_at = 'infinity'",
        ])
    func serving(statement: String) async throws {
        let fixture = try await prepared()
        await #expect(throws: PostgresError.self) {
            try await fixture.pool.withTransaction { session in _ = try session.execute(PostgresQuery(unsafeSQL: statement)) }
        }
        #expect(try await fixture.texts() == 1)
    }

    @Test("an erased text does not come back, and the owner changes no delivery either")
    func erased() async throws {
        let fixture = try await prepared()
        try await fixture.pool.withTransaction { session in
            let items = try session.query("SELECT work_item FROM deliveries").map { try $0.decode(Int64.self) }
            try DeliveryStore().erase(session, items)
        }
        #expect(try await fixture.texts() == 0)
        for change in [
            "sealed_key_id = 'a', encapsulated_key = decode(repeat('00', 32), 'hex'), ciphertext = decode(repeat('00', 32), 'hex')",
            "event_id = gen_random_uuid()", "locale = 'fr'",
        ] {
            let error = await #expect(throws: PostgresError.self) { try await fixture.asOwner("UPDATE deliveries SET \(change)") }
            #expect(error?.constraintName == "deliveries_fixed", "\(change)")
        }
    }

    @Test("with its work a delivery is deleted")
    func deleted() async throws {
        let fixture = try await prepared()
        try await fixture.asOwner("DELETE FROM work_items")
        let count = try await fixture.pool.withSession { session in try session.query("SELECT count(*) FROM deliveries")[0].decode(Int64.self) }
        #expect(count == 0)
    }
}
