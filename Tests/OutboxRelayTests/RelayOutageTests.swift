import AMQP
import Contracts
import Observability
import Outbox
import Postgres
import ServiceRuntime
import TestSupport
import Testing

@testable import OutboxRelay

extension RelayTests {
    /// The broker, the database and other relays in trouble.
    @Suite struct RelayOutageTests {
        let fixture: RelayFixture
        private let keys = (0..<12).map { "key-\($0)" }

        init() async throws { fixture = try await RelayFixture() }

        @Test("a broker that is killed and started again gets every event, in the order of its key")
        func brokerKilled() async throws {
            try await fixture.declare()
            try await fixture.settleTopology()
            try await fixture.running([fixture.relay("a")]) {
                async let written: Void = fixture.write(perKey: 60, keys: keys)
                #expect(try await eventually { try await fixture.marks().contains { $0 > 0 } })
                try await fixture.broker.kill()
                try await fixture.broker.start()
                try await written
                let received = try await fixture.collect { $0.firsts.count >= 720 }
                for key in keys { #expect(received.byKey[key] == Array(0..<60), "\(key)") }
                #expect(try await eventually { try await fixture.isAllMarked() })
            }
        }

        @Test("a relay that reaches no broker leaves its partitions to one that does, and says meanwhile how old the oldest event is")
        func withoutBroker() async throws {
            try await fixture.declare()
            let nobody = try AMQPConfiguration(url: "amqp://u:p@127.0.0.1:\(FreePort.any())")
            let (lonely, other) = (try fixture.relay("a", broker: nobody), try fixture.relay("b"))
            try await fixture.running([lonely]) {
                #expect(try await eventually { lonely.keeper.current.leases.count == 64 })
                try await fixture.write(perKey: 5, keys: keys)
                #expect(try await eventually { lonely.keeper.current.leases.isEmpty })
                #expect(try await eventually { try await lonely.oldestAge() > 1 })
                try await fixture.running([other]) {
                    let received = try await fixture.collect { $0.firsts.count >= 60 }
                    for key in keys { #expect(received.byKey[key] == Array(0..<5), "\(key)") }
                    #expect(try await eventually { lonely.keeper.current.leases.isEmpty && other.keeper.current.leases.count == 64 })
                    #expect(try await eventually { try await lonely.oldestAge() == 0 })
                }
            }
        }

        @Test("a crash of the database server that takes drawn ids back, behind a pooler that hides it, loses no event")
        func serverCrash() async throws {
            // Nothing but a commit takes the log to the disk.
            try await PostgresServer.withSeparate(settings: ["wal_writer_delay": "10s"]) { server in
                let fixture = try await RelayFixture(server: server)
                try await fixture.declare()
                var timing = fixture.timing
                (timing.lease, timing.renewal) = (.seconds(60), .seconds(30))
                try await fixture.running([fixture.relay("a", timing: timing)]) {
                    try await fixture.write(perKey: 5, keys: keys)
                    #expect(try await fixture.collect { $0.firsts.count >= 60 }.count == 60)
                    #expect(try await eventually { try await fixture.isAllMarked() })
                    let (begun, finish) = (Gate(), Gate())
                    let lost = Task {
                        try await fixture.writer.withTransaction { session in
                            try OutboxWriter.append((0..<200).map { fixture.event($0, key: "lost") }, session)
                            begun.signal()
                            finish.wait()
                        }
                    }
                    #expect(try await eventually { begun.isSet })
                    let drawn = try await lastID(server, fixture.database.name)
                    // Some looks, by which the relay knows these ids.
                    _ = try await eventually(within: .milliseconds(300)) { false }
                    try await server.stop(.immediate)
                    finish.signal()
                    await #expect(throws: (any Error).self) { try await lost.value }
                    try await server.start()
                    #expect(try await lastID(server, fixture.database.name) < drawn)
                    try await fixture.write(perKey: 25, keys: keys, from: 5)
                    // Marks may be lost as well, so that some come again; the new ones come all.
                    let received = try await fixture.collect { $0.firsts.filter { $0.number >= 5 }.count >= 300 }.filter { $0.number >= 5 }
                    for key in keys { #expect(received.byKey[key] == Array(5..<30), "\(key)") }
                    #expect(try await eventually { try await fixture.isAllMarked() })
                }
            }
        }

        private func lastID(_ server: PostgresServer, _ database: String) async throws -> Int64 {
            let connection = try await server.superuserConnection(database: database)
            let id = try await connection.withSession { session in
                try session.query("SELECT pg_sequence_last_value('outbox_events_id_seq'::regclass)")[0].decode(Int64.self)
            }
            await connection.close()
            return id
        }

        @Test("a relay that is frozen longer than its lease sends nothing more under it: the order holds")
        func slowRelay() async throws {
            try await fixture.declare()
            var slow = fixture.timing
            // Renews late, as a process does that gets no time: its leases run out again and again.
            slow.renewal = .seconds(4)
            slow.search = .seconds(4)
            let relays = [try fixture.relay("slow", timing: slow), try fixture.relay("quick")]
            try await fixture.running(relays) {
                async let received = fixture.collect(within: .seconds(60)) { $0.firsts.count >= 1_200 }
                for round in 0..<5 {
                    try await fixture.write(perKey: 20, keys: keys, from: round * 20)
                    // So that leases run out between the rounds and in them.
                    _ = try await eventually(within: .milliseconds(1_100)) { false }
                }
                let byKey = try await received.byKey
                for key in keys { #expect(byKey[key] == Array(0..<100), "\(key)") }
            }
        }

        @Test("what a relay that died left under a clock that was an hour ahead is another's at once")
        func clockWasAhead() async throws {
            try await fixture.declare()
            try await fixture.write(perKey: 5, keys: ["a", "b", "c"])
            try await fixture.relayPool.withSession { session in
                try session.execute(
                    "UPDATE relay_partitions SET owner = 'dead', epoch = epoch + 1, expires_at = clock_timestamp() + interval '1 hour'")
                try session.execute("INSERT INTO relay_members VALUES ('dead', clock_timestamp() + interval '1 hour')")
            }
            try await fixture.running([fixture.relay("living")]) {
                let received = try await fixture.collect { $0.firsts.count >= 15 }
                for key in ["a", "b", "c"] { #expect(received.firsts.byKey[key] == Array(0..<5)) }
                #expect(try await eventually { try await fixture.isAllMarked() })
            }
        }

        @Test("leases that run out early, as all do while the clock is ahead, cost duplicates and no order: epochs fence")
        func takenEarly() async throws {
            try await fixture.declare()
            let keys = (0..<12).map { "key-\($0)" }
            try await fixture.running([fixture.relay("a"), fixture.relay("b")]) {
                async let writing: Void = fixture.write(perKey: 60, keys: keys)
                for _ in 0..<6 {
                    try await fixture.relayPool.withSession { session in
                        try session.execute("UPDATE relay_partitions SET expires_at = clock_timestamp() - interval '1 hour'")
                    }
                    _ = try await eventually(within: .milliseconds(200)) { false }
                }
                try await writing
                let received = try await fixture.collect { $0.firsts.count >= 720 }
                for key in keys { #expect(received.firsts.byKey[key] == Array(0..<60), "\(key)") }
                #expect(try await eventually { try await fixture.isAllMarked() })
            }
        }

        @Test("an event that is stamped ahead and can't be published has no age, and how far it is ahead shows")
        func stampedAhead() async throws {
            let nobody = try AMQPConfiguration(url: "amqp://u:p@127.0.0.1:\(FreePort.any())")
            let relay = try fixture.relay("a", broker: nobody)
            let now = Timestamp.now()
            try await fixture.write([
                fixture.event(0, key: "k", at: Timestamp(microsecondsSinceUnixEpoch: now.microsecondsSinceUnixEpoch + 3_600_000_000))
            ])
            #expect(try await relay.oldestAge() == 0)
            #expect((3_000...3_600).contains(try relay.lastGauge("outbox_time_ahead_seconds")))
        }

        @Test("a relay that joins takes half over, without a gap and without a loss")
        func handOver() async throws {
            try await fixture.declare()
            let (first, second) = (try fixture.relay("a"), try fixture.relay("b"))
            try await fixture.running([first]) {
                #expect(try await eventually { first.keeper.current.leases.count == 64 })
                try await fixture.running([second]) {
                    async let written: Void = fixture.write(perKey: 100, keys: keys)
                    #expect(try await eventually { first.keeper.current.leases.count == 32 && second.keeper.current.leases.count == 32 })
                    let received = try await fixture.collect { $0.firsts.count >= 1_200 }
                    try await written
                    for key in keys { #expect(received.byKey[key] == Array(0..<100), "\(key)") }
                    #expect(try await eventually { try await fixture.isAllMarked() })
                }
            }
        }

        @Test("an event whose transaction commits last is published, although later ids went before")
        func lateCommit() async throws {
            try await fixture.declare()
            let connection = try await PostgresConnection.connect(PostgresConfiguration(url: fixture.database.servingURL))
            try await fixture.running([fixture.relay("a")]) {
                let early = fixture.event(0, key: "early")
                let (begun, finish) = (Gate(), Gate())
                async let transaction: Void = connection.withSession { session in
                    try session.transaction { session in
                        try OutboxWriter.append([early], session)
                        begun.signal()
                        finish.wait()
                    }
                }
                #expect(try await eventually { begun.isSet })
                try await fixture.write(perKey: 5, keys: ["late"])
                #expect(try await fixture.collect { $0.count >= 5 }.byKey == ["late": Array(0..<5)])
                // They are published; the marks wait for the transaction that is open.
                #expect(try await !eventually(within: .milliseconds(300)) { try await fixture.isAllMarked() })
                finish.signal()
                try await transaction
                #expect(try await fixture.collect { $0.count >= 1 }.byKey == ["early": [0]])
                #expect(try await eventually { try await fixture.isAllMarked() })
            }
            await connection.close()
        }

        @Test("a broker in alarm is left alone, which shows, and gets the rest after the alarm")
        func blocked() async throws {
            try await fixture.declare()
            let relay = try fixture.relay("a", attempts: 1)
            try await fixture.running([relay]) {
                try await fixture.write(perKey: 1, keys: ["k"])
                _ = try await fixture.collect { $0.count >= 1 }
                try await fixture.broker.control("set_vm_memory_high_watermark", "0.000001")
                // The broker tells a connection with the first message that it publishes.
                try await fixture.write(perKey: 5, keys: ["k"], from: 1)
                #expect(try await eventually { relay.publisher.status.isBlocked })
                #expect(try await eventually { relay.registry.render().contains("amqp_blocked{client=\"a\"} 1") })
                try await fixture.broker.control("set_vm_memory_high_watermark", "absolute", "2GB")
                let received = try await fixture.collect { $0.firsts.count >= 5 }
                #expect(received.byKey == ["k": Array(1...5)])
                #expect(try await fixture.held().isEmpty)
            }
        }

        @Test("a shutdown waits for what is in flight, marks it and gives the leases back: nothing comes twice")
        func drain() async throws {
            try await fixture.declare()
            let relay = try fixture.relay("a")
            async let written: Void = fixture.write(perKey: 60, keys: keys)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await relay.run() }
                #expect(try await eventually { try await fixture.broker.messages(in: fixture.queue) ?? 0 > 0 })
                await relay.drain()
                try await group.waitForAll()
            }
            let left = try await fixture.relayPool.withSession { session in
                try session.query("SELECT count(owner), (SELECT count(*) FROM relay_members) FROM relay_partitions")[0]
                    .decode(Int64.self, Int64.self)
            }
            #expect([left.0, left.1] == [0, 0])
            try await written
            try await fixture.running([fixture.relay("b")]) {
                let received = try await fixture.collect { $0.firsts.count >= 720 }
                #expect(received.count == 720)
                for key in keys { #expect(received.byKey[key] == Array(0..<60), "\(key)") }
            }
        }

        @Test("old events that were published are deleted; held, recent and unpublished ones stay")
        func retention() async throws {
            try await fixture.declare("thing.happened.v1")
            let old = { (number: Int, type: String) in
                let event = fixture.event(number, key: "k\(number)", type: type)
                return OutboxEvent(
                    id: event.id, type: type, subject: event.subject, partitionKey: event.partitionKey,
                    occurredAt: .init(microsecondsSinceUnixEpoch: 1_700_000_000_000_000), traceparent: nil, data: event.data)
            }
            let relay = try fixture.relay("a", attempts: 1)
            try await fixture.running([relay]) {
                try await fixture.write([old(0, fixture.type), old(1, "\(fixture.name).gone"), old(2, fixture.type), fixture.event(3, key: "new")])
                #expect(try await eventually { try await fixture.isAllMarked() })
                #expect(try await eventually { try await fixture.held() == ["parked": 1] })
                // The marks of partitions in which nothing happened follow with time.
                let deleted = try await eventually {
                    let upkeep = OutboxUpkeep()
                    return try await fixture.relayPool.withSession { session in try upkeep.prune(session, olderThanDays: 7, limit: 100) } == 2
                }
                #expect(deleted)
                let rest = try await fixture.relayPool.withSession { session in
                    try session.query("SELECT data FROM outbox_events ORDER BY id").map { row in try row.decode(String.self) }
                }
                #expect(rest.map { $0.contains("\"k1\"") || $0.contains("\"new\"") } == [true, true])
            }
        }
    }
}
