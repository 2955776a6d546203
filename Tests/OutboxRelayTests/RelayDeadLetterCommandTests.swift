import AMQP
import ArgumentParser
import Contracts
import EventBroker
import Foundation
import Observability
import Outbox
import Postgres
import ServiceRuntime
import StrictJSON
import Synchronization
import TestSupport
import Testing

@testable import OutboxRelay

extension RelayTests {
    /// The dead-letter commands of a relay, as an operator uses them.
    @Suite struct RelayDeadLetterCommandTests {
        let fixture: RelayFixture

        init() async throws { fixture = try await RelayFixture() }

        private final class Output: Sendable {
            let printed = Mutex<[String]>([])
            let complained = Mutex<[String]>([])
        }

        private func run(
            _ changes: [String: String] = [:], _ work: (RelayDeadLetterCommands) async -> ProcessExit
        ) async -> (exit: ProcessExit, printed: [String], complained: [String]) {
            let environment = [
                "FLORIN_ENVIRONMENT": "local", "OUTBOX_SOURCE": "wallet-ledger", "LEDGER_DATABASE_URL": fixture.database.relayURL,
                "RABBITMQ_URL": fixture.broker.url(as: "wallet-ledger-relay", parameters: "?heartbeat=1"),
                "MIGRATIONS_DIRECTORY": RepositoryRoot.path("migrations"),
            ].merging(changes) { $1 }
            let output = Output()
            let desk = RelayDeadLetterCommands(
                environment: environment,
                context: { service, settings in
                    ProcessContext(service: service, settings: settings, logger: RelayFixture.quiet, metrics: PrometheusRegistry())
                },
                print: { line in output.printed.withLock { $0.append(line) } },
                reportError: { line in output.complained.withLock { $0.append(line) } })
            let exit = await work(desk)
            return (exit, output.printed.withLock { $0 }, output.complained.withLock { $0 })
        }

        /// Events that were written and parked.
        /// - Parameters:
        ///   - age: Since they failed for the first time; they failed again just now.
        ///   - occurred: How long ago.
        private func park(_ count: Int, age: Duration = .seconds(60), occurred: Duration = .zero) async throws -> [EventID] {
            let time = Timestamp.now().earlier(by: occurred)
            return try await park((0..<count).map { fixture.event($0, key: "k", at: time) }, age: age)
        }

        private func park(_ events: [OutboxEvent], age: Duration = .seconds(60)) async throws -> [EventID] {
            try await fixture.write(events)
            try await fixture.relayPool.withSession { session in
                try session.execute(
                    """
                    INSERT INTO outbox_held (
                        id, partition, partition_key, state, attempts, next_attempt_at, reason, first_failed_at, last_failed_at)
                    SELECT id, hashtextextended(partition_key, 0) & 63, partition_key, 'parked', 3, now(), 'unroutable',
                        now() - make_interval(secs => \(age.inSeconds)), now()
                    FROM outbox_events WHERE event_id = ANY(\(events.map(\.id.uuid)))
                    """)
            }
            return events.map(\.id)
        }

        private var replayed: RelayReplayOptions { .parseOrExit([]) }
        private var dryRun: RelayReplayOptions { .parseOrExit(["--dry-run"]) }

        private func all(since: Duration? = nil) -> DeadLetterFilter {
            DeadLetterFilter(since: since.map { Timestamp.now().earlier(by: $0) })
        }

        @Test("those are listed that failed for the first time since")
        func since() async throws {
            let (old, new) = (try await park(1, age: .seconds(7_200)), try await park(1))
            let listed = await run { await $0.list(all(since: .seconds(10_800)), json: true) }
            #expect(listed.exit == .success)
            #expect(try listed.printed.map { try JSONParser.parse(Array($0.utf8))["event_id"]?.stringValue } == (old + new).map(\.description))
            let recent = await run { await $0.list(all(since: .seconds(3_600)), json: false) }
            #expect(
                recent.printed.count == 3 && recent.printed[1].contains(new[0].description) && recent.printed[2] == "1 dead letters of wallet-ledger")
        }

        @Test("one is discarded once, and a dry run only shows it")
        func discard() async throws {
            let id = try await park(1)[0]
            let one = DeadLetterFilter(eventID: id)
            let dry = await run { await $0.discard(one, by: "ana", note: "no use", isDryRun: true, json: false) }
            #expect(dry.exit == .success && dry.printed.count == 1 && dry.printed[0].contains("\(id)"))
            #expect(try await fixture.held() == ["parked": 1])
            let done = await run { await $0.discard(one, by: "ana", note: "no use", isDryRun: false, json: true) }
            #expect(done.exit == .success && done.printed.count == 1)
            #expect(try JSONParser.parse(Array(try #require(done.printed.first).utf8))["event_id"]?.stringValue == id.description)
            #expect(try await fixture.held() == ["discarded": 1])
            for isDryRun in [true, false] {
                let again = await run { await $0.discard(one, by: "ana", note: "no use", isDryRun: isDryRun, json: true) }
                #expect(again.exit == .failure && again.printed.isEmpty)
                #expect(again.complained == ["outbox-relay: there is no such open dead letter"])
            }
            for options in [replayed, dryRun] {
                let replay = await run { await $0.replay(one, options, isForced: false, json: true) }
                #expect(replay.exit == .failure && replay.complained == ["outbox-relay: there is no such open dead letter"])
            }
            let listed = await run { await $0.list(DeadLetterFilter(eventID: id, status: .discarded), json: true) }
            #expect(listed.printed == done.printed)
            let letter = try JSONParser.parse(Array(try #require(listed.printed.first).utf8))
            #expect(letter["status"]?.stringValue == "discarded" && letter["note"]?.stringValue == "no use (ana)")
        }

        @Test("a database that goes away in the middle of a command is named, with 3")
        func databaseLost() async throws {
            let (server, name) = (fixture.database.server, fixture.database.name)
            try await server.holding("LOCK TABLE outbox_held IN ACCESS EXCLUSIVE MODE", database: name) {
                async let listed = run { await $0.list(all(), json: false) }
                let superuser = try await server.superuserConnection(database: name)
                let isTerminated = try await eventually {
                    try await superuser.withSession { session in
                        try session.query(
                            """
                            SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
                            """
                        ).rowCount == 1
                    }
                }
                await superuser.close()
                // An error here cancels the command, which would wait for the lock, and the lock for it.
                try #require(isTerminated)
                let (exit, printed, complained) = await listed
                #expect(exit == .unreachable && printed.isEmpty)
                #expect(complained.count == 1 && complained[0].hasPrefix("outbox-relay: cannot reach Postgres at 127.0.0.1:\(server.port): "))
            }
        }

        @Test("what another run has claimed is counted and no success")
        func taken() async throws {
            try await fixture.declare()
            let ids = try await park(3)
            let store = DeferredEventStore()
            let claimed = try await fixture.relayPool.withSession { session in
                let first = try store.deadLetters(session, DeadLetterFilter(eventID: ids[0])).map(\.id)
                return try store.claimParked(session, ids: first, for: 60)
            }
            #expect(claimed.map(\.row.eventID) == [ids[0]])
            let replay = await run { await $0.replay(all(), replayed, isForced: false, json: false) }
            #expect(replay.exit == .failure && replay.printed == ["2 replayed, 0 failed, 1 claimed by another run, 0 too old, of 3"])
            let again = await run { await $0.replay(all(), replayed, isForced: false, json: true) }
            #expect(
                again.exit == .failure
                    && again.printed == [#"{"selected":1,"replayed":0,"failed":0,"claimed_by_another":1,"too_old":0,"unchanged":0}"#]
            )
            #expect(try await fixture.held() == ["parked": 1])
            let one = DeadLetterFilter(eventID: ids[0])
            let discard = await run { await $0.discard(one, by: "ana", note: "no use", isDryRun: false, json: false) }
            #expect(discard.exit == .failure && discard.complained == ["outbox-relay: another run is replaying it, for a minute at most"])
            #expect(try await fixture.held() == ["parked": 1])
            #expect(try await fixture.collect { $0.count >= 2 }.map(\.id) == ids.dropFirst().map(\.description))
        }

        @Test("what may be older than consumers remember is named and not published without force")
        func tooOld() async throws {
            try await fixture.declare()
            let fortnight = Duration.seconds(14 * 86_400)
            // One failed long ago; one happened long ago, and may have been published before it failed.
            let old = try await park(1, age: fortnight + .seconds(60)) + park(1, occurred: fortnight + .seconds(60))
            let young = try await park(1, age: fortnight - .seconds(60), occurred: fortnight - .seconds(60))
            let dry = await run { await $0.replay(all(), dryRun, isForced: false, json: false) }
            #expect(dry.exit == .success && dry.printed.count == 4 && dry.complained.isEmpty)
            #expect(dry.printed.filter { $0.hasSuffix("  too old (use --force)") }.count == 2)
            #expect(dry.printed.last == "1 would be replayed; 2 too old (use --force)")

            let replay = await run { await $0.replay(all(), replayed, isForced: false, json: true) }
            #expect(replay.exit == .failure)
            let printed = try replay.printed.map { try JSONParser.parse(Array($0.utf8)) }
            #expect(printed.dropLast().map { $0["event_id"]?.stringValue } == old.map(\.description))
            #expect(printed.dropLast().allSatisfy { $0["result"]?.stringValue == "too_old" })
            #expect(replay.printed.last == #"{"selected":3,"replayed":1,"failed":0,"claimed_by_another":0,"too_old":2,"unchanged":0}"#)
            #expect(replay.complained == ["outbox-relay: 2 are older than 14 days; check --dry-run, then use --force"])
            #expect(try await fixture.collect { $0.count >= 1 }.map(\.id) == young.map(\.description))
            #expect(try await attempts() == [3, 3])

            let forced = await run { await $0.replay(all(), replayed, isForced: true, json: false) }
            #expect(forced.exit == .success && forced.complained.isEmpty)
            #expect(forced.printed == ["2 replayed, 0 failed, 0 claimed by another run, 0 too old, of 2"])
            #expect(try await fixture.collect { $0.count >= 2 }.map(\.id) == old.map(\.description))
        }

        /// The attempts of what is parked and in nobody's hands.
        private func attempts() async throws -> [Int] {
            try await fixture.relayPool.withSession { session in
                let store = DeferredEventStore()
                return try store.claimParked(session, ids: store.deadLetters(session, all()).map(\.id), for: 0).map(\.attempts)
            }
        }

        @Test("a broker that is blocked after it let the command in is named, with 3; the events are unchanged")
        func blocked() async throws {
            try await fixture.declare()
            _ = try await park(3)
            try await fixture.broker.control("set_vm_memory_high_watermark", "0.000001")
            let replay = await run { await $0.replay(all(), replayed, isForced: false, json: true) }
            try await fixture.broker.control("set_vm_memory_high_watermark", "absolute", "2GB")
            #expect(replay.exit == .unreachable)
            #expect(replay.printed == [#"{"selected":3,"replayed":0,"failed":0,"claimed_by_another":0,"too_old":0,"unchanged":3}"#])
            let broker = try fixture.configuration
            #expect(replay.complained.count == 1)
            #expect(
                replay.complained.first?.hasPrefix("outbox-relay: cannot reach RabbitMQ at \(broker.host):\(broker.port): it is blocked: ") == true)
            #expect(try await attempts() == [3, 3, 3])
            let again = await run { await $0.replay(all(), replayed, isForced: false, json: false) }
            #expect(again.exit == .success && again.printed == ["3 replayed, 0 failed, 0 claimed by another run, 0 too old, of 3"])
        }

        /// Replays all with a broker that answers so, one page after another.
        private func replay(_ script: [[PublishOutcome]]) async throws -> (result: RepublishDeadLetters.Result, sent: [[String]]) {
            let parked = try await fixture.relayPool.withSession { session in try DeferredEventStore().deadLetters(session, all()) }
            let answers = Mutex(script)
            let sent = Mutex<[[String]]>([])
            let replay = RepublishDeadLetters(source: "wallet-ledger", pool: fixture.relayPool) { publications in
                sent.withLock { $0.append(publications.map(\.message.messageID)) }
                return answers.withLock { $0.removeFirst() }
            }
            var result = RepublishDeadLetters.Result()
            try await replay.run(parked, isForced: false, now: Timestamp.now(), &result)
            return (result, sent.withLock { $0 })
        }

        @Test("what a broker that is full does not take uses up no attempt, what no queue wants does")
        func refused() async throws {
            _ = try await park(3)
            let exchange = PublishOutcome.unknown(.channelClosed(code: 404, text: "no exchange"))
            let result = try await replay([[.nacked, exchange, .unroutable(code: 312, text: "NO_ROUTE")]]).result
            #expect(!result.isSuccess && result.replayed == 0 && result.left == 0)
            let reasons = ["not accepted by the broker (basic.nack)", "404 no exchange", "unroutable: 312 NO_ROUTE"]
            #expect(Set(result.failures.map(\.reason)) == Set(reasons))
            #expect(try await attempts() == [3, 3, 4])
        }

        @Test("what was in doubt or not sent goes again while anything gets through, and stays as it was once nothing does")
        func again() async throws {
            let names = try await park(3).map(\.description)
            // The connection is lost in the middle, then the last gets through, then nobody hears anything.
            let (result, sent) = try await replay([
                [.confirmed, .unknown(.connectionLost), .notSent(.timedOut)], [.notSent(.timedOut), .confirmed], [.unknown(.timedOut)],
            ])
            #expect(result == RepublishDeadLetters.Result(replayed: 2, left: 1) && !result.isSuccess)
            #expect(sent == [names, [names[1], names[2]], [names[1]]])
            #expect(try await attempts() == [3])
        }

        @Test("the one over which the broker closes the channel is found among the others, which are published and keep their attempts")
        func suspects() async throws {
            let names = try await park(4).map(\.description)
            let closed = PublishOutcome.unknown(.channelClosed(code: 406, text: "too large"))
            let (result, sent) = try await replay([
                [closed, closed, closed, .notSent(.timedOut)], [.confirmed], [closed], [.confirmed], [.confirmed],
            ])
            #expect(result.replayed == 3 && result.failures.map(\.letter.eventID?.description) == [names[1]] && result.left == 0)
            #expect(sent == [names] + names.map { [$0] })
            #expect(try await attempts() == [4])
        }

        @Test("a broker that closes the channel over one of them gets the others")
        func channelCloser() async throws {
            try await fixture.declare()
            let huge = OutboxEvent(
                id: EventID(UUID()), type: fixture.type, subject: "bad", partitionKey: "bad", occurredAt: Timestamp.now(),
                traceparent: nil,
                data: Array("{\"x\":\"\(String(repeating: "x", count: RabbitMQServer.maximumMessageBytes + 1))\"}".utf8))
            let ids = try await park([fixture.event(0, key: "k"), huge, fixture.event(1, key: "k")])
            let replay = await run { await $0.replay(all(), replayed, isForced: false, json: false) }
            #expect(replay.exit == .failure && replay.printed.count == 2)
            #expect(replay.printed[0].contains("  \(ids[1])  ") && replay.printed[0].contains("the broker closes the channel over it"))
            #expect(replay.printed[1] == "2 replayed, 1 failed, 0 claimed by another run, 0 too old, of 3")
            #expect(try await fixture.collect { $0.firsts.count >= 2 }.byKey == ["k": [0, 1]])
        }

        @Test(arguments: [
            ["--limit", "0"], ["--limit", "10001"], ["--event-id", "evt_1"], ["--since", "yesterday"], ["--since", "2026-11-21"],
        ]) func `options that make no sense are refused with 64`(arguments: [String]) {
            let error = #expect(throws: (any Error).self) { try ReplayDeadLettersCommand<RelayDeadLetterCommands>.parse(arguments) }
            #expect(error.map { ReplayDeadLettersCommand<RelayDeadLetterCommands>.exitCode(for: $0).rawValue } == 64)
        }

        @Test("--since is a time, or how long ago")
        func sinceOption() throws {
            typealias List = ListDeadLettersCommand<RelayDeadLetterCommands>
            let day = Duration.seconds(86_400)
            let earliest = Timestamp.now().earlier(by: day)
            let ago = try #require(try List.parse(["--since", "24h"]).selection.filter().since)
            #expect(ago >= earliest && ago <= Timestamp.now().earlier(by: day))
            let time = try List.parse(["--since", "2026-11-21T05:00:00Z"]).selection.filter()
            #expect(time.since?.description == "2026-11-21T05:00:00.000Z")
        }

        @Test("the commands of a relay and of a consumer have the same options; --source is a relay's")
        func options() throws {
            let id = EventID(UUID()).description
            let list = ["--source", "wallet-ledger", "--status", "any", "--class", "refused", "--id", "7", "--type", "x", "--limit", "5", "--json"]
            #expect(throws: Never.self) { try ListDeadLettersCommand<RelayDeadLetterCommands>.parse(list) }
            typealias Discard = DiscardDeadLetterCommand<RelayDeadLetterCommands>
            #expect(throws: Never.self) { try Discard.parse(["--event-id", id, "--note", "x", "--requested-by", "ana", "--dry-run"]) }
            #expect(throws: (any Error).self) { try Discard.parse(["--event-id", "evt_1", "--note", "x"]) }
            #expect(throws: (any Error).self) { try Discard.parse(["--event-id", id, "--id", "7", "--note", "x"]) }
            #expect(throws: (any Error).self) { try Discard.parse(["--event-id", id]) }
        }
    }
}
