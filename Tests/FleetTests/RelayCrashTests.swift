import Foundation
import Postgres
import TestSupport
import Testing

/// A relay killed with -9 at each step of its work; what it left is finished by another. Nothing is lost, and the order of each key holds.
/// Where an event comes twice, its id says so.
@Suite("A relay that dies at each step", .serialized)
struct RelayCrashTests {
    private static let keys = (0..<20).map { "key-\($0)" }
    private static let perKey = 40
    private static var all: Int { keys.count * perKey }

    /// Lets another relay finish, and judges what arrived.
    private func finish(_ fleet: EventFleet, step: String, mayDouble: Bool) async throws {
        let successor = try fleet.relay()
        try successor.start()
        #expect(try await eventually(within: .seconds(30), every: .milliseconds(50)) { try await fleet.isAllMarked() })
        let arrived = try await fleet.collect(atLeast: Self.all)
        #expect(arrived.firsts.count == Self.all, "lost \(Self.all - arrived.firsts.count)")
        for key in Self.keys { #expect(arrived.effects[key] == Array(0..<Self.perKey), "\(key)") }
        if !mayDouble { #expect(arrived.count == Self.all) }
        #expect(successor.end(SIGTERM) == 0)
        print("crash point: \(step): \(Self.all) events, 0 lost, \(arrived.count - arrived.firsts.count) sent twice, order kept")
    }

    @Test("after the business commit: nobody was there to see it")
    func afterCommit() async throws {
        try await EventFleet.with { fleet in
            try await fleet.write(Self.perKey, keys: Self.keys)
            try await finish(fleet, step: "after the business commit", mayDouble: false)
        }
    }

    @Test("after the lease, before anything was read")
    func afterLease() async throws {
        try await EventFleet.with { fleet in
            try await fleet.write(Self.perKey, keys: Self.keys)
            let relay = try fleet.relay()
            try await fleet.locking("LOCK TABLE outbox_events IN ACCESS EXCLUSIVE MODE") {
                try relay.start()
                #expect(try await eventually(within: .seconds(20)) { try await fleet.number("SELECT count(owner) FROM relay_partitions") == 64 })
                relay.end(SIGKILL)
            }
            try await finish(fleet, step: "after the lease", mayDouble: false)
        }
    }

    @Test("in the middle of a window that the broker has not confirmed")
    func midWindow() async throws {
        try await EventFleet.with { fleet in
            let relay = try fleet.relay()
            try relay.start()
            // Frozen between two heartbeats, with the connection open.
            try await fleet.write(1, keys: Self.keys)
            #expect(try await eventually(within: .seconds(20)) { try await fleet.isAllMarked() })
            try fleet.broker.freeze()
            try await fleet.write(Self.perKey - 1, keys: Self.keys, from: 1)
            _ = try await eventually(within: .milliseconds(300)) { false }
            relay.end(SIGKILL)
            try fleet.broker.thaw()
            try await finish(fleet, step: "in mid-window", mayDouble: true)
        }
    }

    @Test("after the broker's ack, before the mark")
    func beforeMark() async throws {
        try await EventFleet.with { fleet in
            let relay = try fleet.relay()
            try relay.start()
            #expect(try await eventually(within: .seconds(20)) { try await fleet.number("SELECT count(owner) FROM relay_partitions") == 64 })
            try await fleet.locking("LOCK TABLE relay_partitions IN SHARE MODE") {
                try await fleet.write(Self.perKey, keys: Self.keys)
                #expect(
                    try await eventually(within: .seconds(20), every: .milliseconds(50)) { try await fleet.broker.messages(in: fleet.queue) ?? 0 > 0 }
                )
                relay.end(SIGKILL)
                // The server would write the mark although nobody waits for its answer.
                _ = try await fleet.number(
                    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = '\(fleet.database.roles.relay)'")
            }
            #expect(try await !fleet.isAllMarked())
            try await finish(fleet, step: "after the broker's ack, before the mark", mayDouble: true)
        }
    }

    @Test("after the mark")
    func afterMark() async throws {
        try await EventFleet.with { fleet in
            let relay = try fleet.relay()
            try relay.start()
            try await fleet.write(Self.perKey, keys: Self.keys)
            #expect(try await eventually(within: .seconds(20)) { try await fleet.isAllMarked() })
            relay.end(SIGKILL)
            try await finish(fleet, step: "after the mark", mayDouble: false)
        }
    }
}
