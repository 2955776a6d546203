import Contracts
import Foundation
import Outbox
import Postgres
import TestSupport
import Testing

/// A mark beyond every event: the role of a relay can't set one, and one that is there says nothing of what was published.
@Suite("Void marks") struct VoidMarkTests {
    private static let lastID: Int64 = 3
    private let database: TestDatabase
    private let pool: PostgresPool
    private let store = LeaseStore(owner: "a")

    /// An outbox with events that occurred long ago.
    init() async throws {
        database = try await TestDatabase.withOutbox()
        pool = PostgresPool(configuration: try PostgresConfiguration(url: database.relayURL), options: PoolOptions(acquireTimeout: .seconds(30)))
        try await write(Int(Self.lastID))
    }

    private func write(_ count: Int) async throws {
        let writer = PostgresPool(configuration: try PostgresConfiguration(url: database.servingURL))
        let events = (0..<count).map { number in
            OutboxEvent(
                id: EventID(UUID()), type: "t.v1", subject: "k\(number)", partitionKey: "k\(number)",
                occurredAt: Timestamp(microsecondsSinceUnixEpoch: 1_700_000_000_000_000), traceparent: nil, data: Array("{}".utf8))
        }
        try await writer.withTransaction { session in try OutboxWriter.append(events, session) }
        await writer.close()
    }

    private func set(_ mark: Int64, of partition: Int16 = 0) async throws {
        try await pool.withSession { session in
            _ = try session.execute("UPDATE relay_partitions SET published_through = \(mark) WHERE partition = \(partition)")
        }
    }

    /// What a restored backup or a hand may do: past the triggers.
    private func force(_ mark: Int64, where condition: String = "partition = 0") async throws {
        try await database.server.execute(
            [
                "ALTER TABLE relay_partitions DISABLE TRIGGER USER",
                "UPDATE relay_partitions SET published_through = \(mark) WHERE \(condition)",
                "ALTER TABLE relay_partitions ENABLE TRIGGER USER",
            ], database: database.name)
    }

    private func backlog() async throws -> OutboxUpkeep.Backlog {
        try await pool.withSession { session in try OutboxUpkeep().backlog(session) }
    }

    @Test("none can be set, in an outbox with events nor in an empty one", arguments: [1, 100, Int64.max - VoidMarkTests.lastID])
    func refused(_ beyond: Int64) async throws {
        let error = await #expect(throws: PostgresError.self) { try await set(Self.lastID + beyond) }
        #expect(error?.constraintName == "relay_partitions_within_outbox")
        try await set(Self.lastID)
        let empty = try await TestDatabase.withOutbox()
        let superuser = try await empty.server.superuserConnection(database: empty.name)
        try await superuser.withSession { session in
            #expect(throws: PostgresError.self) { try session.execute("UPDATE relay_partitions SET published_through = \(beyond)") }
        }
        await superuser.close()
    }

    @Test("a partition with one is leased by nobody, renewed by nobody, and stays so when the ids have come as far")
    func leases() async throws {
        let leased = try await pool.withSession { [store] session in try store.acquire(session, atMost: 64, for: 60) }
        #expect(leased.count == 64)
        try await force(Self.lastID + 2)
        let renewed = try await pool.withSession { [store] session in try store.renew(session, for: 60).leases }
        #expect(Set(renewed.map(\.partition)) == Set(1..<64))
        try await write(5)
        try await pool.withSession { [store] session in
            try store.leave(session)
            #expect(try store.renew(session, for: 60).leases.isEmpty)
            #expect(Set(try store.acquire(session, atMost: 64, for: 60).map(\.partition)) == Set(1..<64))
        }
        #expect(try await backlog().voidPartitions == [0])
    }

    @Test("while there is one the oldest event counts as unpublished, and nothing is deleted")
    func upkeep() async throws {
        try await force(Self.lastID, where: "true")
        let sound = try await backlog()
        #expect(sound.count == 0 && sound.oldestUnleased == nil && sound.voidPartitions.isEmpty)
        try await force(Self.lastID + 1)
        let found = try await backlog()
        #expect(found.voidPartitions == [0] && found.oldestUnleased == Timestamp(microsecondsSinceUnixEpoch: 1_700_000_000_000_000))
        func prune() async throws -> Int {
            try await pool.withSession { session in try OutboxUpkeep().prune(session, olderThanDays: 1, limit: 100) }
        }
        #expect(try await prune() == 0)
        try await set(Self.lastID)
        #expect(try await backlog().voidPartitions.isEmpty)
        #expect(try await prune() == Int(Self.lastID))
    }

    @Test("it can be taken back to any id there was, and from then on goes forward only")
    func corrected() async throws {
        try await force(.max, where: "true")
        for wrong: Int64 in [Self.lastID + 1, .max - 1] { await #expect(throws: PostgresError.self) { try await set(wrong) } }
        try await set(1)
        await #expect(throws: PostgresError.self) { try await set(0) }
        await #expect(throws: PostgresError.self) { try await set(.max) }
        try await set(2)
        let leased = try await pool.withSession { [store] session in try store.acquire(session, atMost: 64, for: 60) }
        #expect(leased.map(\.partition) == [0] && leased.map(\.markedThrough) == [2])
    }
}
