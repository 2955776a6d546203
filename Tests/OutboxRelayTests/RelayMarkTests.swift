import AMQP
import Postgres
import TestSupport
import Testing

@testable import OutboxRelay

extension RelayTests {
    /// Marks that lie beyond every event, as a backup leaves them that was restored in part.
    @Suite struct RelayMarkTests {
        let fixture: RelayFixture
        private let keys = (0..<12).map { "key-\($0)" }

        init() async throws { fixture = try await RelayFixture() }

        @Test("a relay does not work by a mark beyond every event, says so, and publishes everything once the mark is corrected")
        func beyond() async throws {
            try await fixture.declare()
            try await fixture.write(perKey: 2, keys: keys)
            try await fixture.database.server.execute(
                [
                    "ALTER TABLE relay_partitions DISABLE TRIGGER USER", "UPDATE relay_partitions SET published_through = 30",
                    "ALTER TABLE relay_partitions ENABLE TRIGGER USER",
                ], database: fixture.database.name)
            let relay = try fixture.relay("a")
            try await fixture.running([relay]) {
                #expect(try await eventually { try await relay.gauge("outbox_void_marks") == 64 })
                #expect(try await relay.oldestAge() > 0)
                // Its first renewal was before it could lease anything.
                #expect(try await eventually { try await fixture.marks() == Array(repeating: .max, count: 64) })
                // With these the ids are past the mark that was there.
                try await fixture.write(perKey: 2, keys: keys, from: 2)
                #expect(try await relay.gauge("outbox_void_marks") == 64)
                #expect(relay.keeper.current.leases.isEmpty && relay.loop.publisher.status.isOpen)

                // As the runbook says.
                try await fixture.relayPool.withSession { session in
                    _ = try session.execute(
                        """
                        UPDATE relay_partitions SET published_through = 0
                        WHERE published_through > (SELECT last_value FROM outbox_events_id_seq)
                        """)
                }
                let received = try await fixture.collect { $0.firsts.count >= 48 }
                for key in keys { #expect(received.byKey[key] == Array(0..<4), "\(key)") }
                #expect(try await relay.gauge("outbox_void_marks") == 0)
                #expect(try await eventually { try await relay.oldestAge() == 0 })
            }
        }
    }
}
