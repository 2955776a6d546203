import AMQP
import EventBroker
import Foundation
import Postgres
import TestSupport
import Testing

/// A consumer killed with -9 at each step of its work: each event has its effect once, whoever finishes it, and where none fails, the
/// effects of a key in the order of its events.
@Suite("A consumer that dies at each step", .serialized)
struct ConsumerCrashTests {
    private static let events = 60
    private static let wallets = 6

    /// Lets another consumer finish, and judges what came of the events.
    ///
    /// - Parameter isOrdered: Whether the effects of each key must be in the order of publication.
    private func finish(_ fleet: ConsumerFleet, step: String, isOrdered: Bool = false) async throws {
        let events = Self.events
        let successor = try fleet.consumer()
        let isComplete = try await eventually(within: .seconds(40), every: .milliseconds(50)) {
            try await fleet.number("SELECT count(*) FROM processed_events") == Int64(events)
        }
        #expect(isComplete)
        #expect(try await eventually(within: .seconds(20), every: .milliseconds(100)) { try await isQueueEmpty(fleet) })
        try await judge(fleet, events: events)
        if isOrdered { try await judgeOrder(fleet) }
        #expect(successor.end(SIGTERM) == 0)
        print("crash point: \(step): \(events) events, 0 lost, 0 double effects" + (isOrdered ? ", order kept" : ""))
    }

    private func isQueueEmpty(_ fleet: ConsumerFleet) async throws -> Bool {
        try await fleet.control("list_queues", "--no-table-headers", "name", "messages").split(separator: "\n").allSatisfy { $0.hasSuffix("\t0") }
    }

    private func judge(_ fleet: ConsumerFleet, events: Int) async throws {
        for (what, table) in [
            ("debits", "customer_debits"), ("alerts", "risk_alerts"), ("alerts' transfers", "(SELECT DISTINCT transfer_id FROM risk_alerts) d"),
            ("own events", "outbox_events"),
        ] {
            #expect(try await fleet.number("SELECT count(*) FROM \(table)") == Int64(events), "\(what)")
        }
    }

    /// The ids of the consumer's own events were drawn in the order of the effects; the amounts rise in the order of publication.
    private func judgeOrder(_ fleet: ConsumerFleet) async throws {
        let effects = """
            SELECT amount, lag(amount) OVER (PARTITION BY partition_key ORDER BY id) AS before
            FROM (SELECT id, partition_key, (data::jsonb ->> 'amount')::bigint AS amount FROM outbox_events) AS alert
            """
        let inOrder = try await fleet.number("SELECT count(*) FROM (\(effects)) AS effect WHERE before < amount")
        // Each but the first of its key follows the one before.
        #expect(inOrder == Int64(Self.events - Self.wallets))
    }

    @Test("before its commit")
    func beforeCommit() async throws {
        try await ConsumerFleet.with { fleet in
            let consumer = try fleet.consumer()
            try await fleet.holding("LOCK TABLE risk_alerts IN SHARE MODE") {
                try await fleet.publish(Self.events, ofWallets: Self.wallets)
                try await fleet.untilBlocked()
                consumer.end(SIGKILL)
                try await fleet.endSessions()
            }
            #expect(try await fleet.number("SELECT count(*) FROM processed_events") == 0)
            try await finish(fleet, step: "consumer before its commit", isOrdered: true)
        }
    }

    @Test("after its commit, before its ack")
    func afterCommit() async throws {
        try await ConsumerFleet.with { fleet in
            try await fleet.gate("processed_events")
            let consumer = try fleet.consumer()
            try await fleet.holding("SELECT pg_advisory_xact_lock(4711)") {
                try await fleet.publish(Self.events, ofWallets: Self.wallets)
                try await fleet.untilBlocked()
                // It has asked for the commit, and will not learn of it.
                consumer.signal(SIGSTOP)
            }
            #expect(try await eventually(within: .seconds(10)) { try await fleet.number("SELECT count(*) FROM processed_events") > 0 })
            consumer.end(SIGKILL)
            try await finish(fleet, step: "consumer after its commit, before its ack", isOrdered: true)
        }
    }

    @Test("after the publication of a retry, before its ack")
    func retryPublished() async throws {
        try await ConsumerFleet.with { fleet in
            // Every event fails, and its retry is published; the broker takes some of them and answers none.
            try await fleet.execute("ALTER TABLE risk_alerts ADD CONSTRAINT crash CHECK (amount < 0) NOT VALID")
            let consumer = try fleet.consumer()
            try await fleet.publish(Self.events, ofWallets: Self.wallets)
            let isRetried = try await eventually(within: .seconds(20), every: .milliseconds(5)) {
                let metrics = try? await PlainExchange(target: "/metrics").send(to: consumer.adminPort).text
                return metrics?.split(whereSeparator: \.isNewline).contains { $0.hasPrefix("event_retries_total") && !$0.hasSuffix(" 0") } ?? false
            }
            #expect(isRetried)
            try fleet.broker.freeze()
            _ = try await eventually(within: .milliseconds(500)) { false }
            consumer.end(SIGKILL)
            try fleet.broker.thaw()
            try await fleet.execute("ALTER TABLE risk_alerts DROP CONSTRAINT crash")
            try await finish(fleet, step: "retry published, before its ack")
        }
    }

    @Test("after a dead letter was written, before its ack")
    func deadLetterWritten() async throws {
        try await ConsumerFleet.with { fleet in
            try await fleet.gate("dead_letter_events")
            let consumer = try fleet.consumer()
            try await fleet.holding("SELECT pg_advisory_xact_lock(4711)") {
                let garbage = AMQPMessage(
                    body: Array("no envelope".utf8), messageID: "garbage", type: "ledger.transfer.posted.v1", userID: "wallet-ledger-relay")
                try await fleet.publish([
                    AMQPPublication(garbage, exchange: EventTopology.exchange.name, routingKey: "ledger.transfer.posted.v1")
                ])
                try await fleet.untilBlocked()
                consumer.signal(SIGSTOP)
            }
            #expect(try await eventually(within: .seconds(10)) { try await fleet.number("SELECT count(*) FROM dead_letter_events") == 1 })
            consumer.end(SIGKILL)
            try await fleet.publish(Self.events, ofWallets: Self.wallets)
            try await finish(fleet, step: "dead letter written, before its ack")
            #expect(try await fleet.number("SELECT count(*) FROM dead_letter_events") == 1)
        }
    }

    @Test("a replay that is killed in the middle is continued by another")
    func replayInterrupted() async throws {
        try await ConsumerFleet.with { fleet in
            try await fleet.execute("ALTER TABLE risk_alerts ADD CONSTRAINT crash CHECK (amount < 0) NOT VALID")
            let consumer = try fleet.consumer(settings: ["EVENT_RETRY_DELAYS": "1ms,2ms"])
            try await fleet.publish(Self.events, ofWallets: Self.wallets)
            let areDead = try await eventually(within: .seconds(40), every: .milliseconds(50)) {
                try await fleet.number("SELECT count(*) FROM dead_letter_events WHERE status = 'open'") == Int64(Self.events)
            }
            #expect(areDead)
            consumer.end(SIGKILL)
            try await fleet.execute("ALTER TABLE risk_alerts DROP CONSTRAINT crash")
            let replay = LedgerProcess(ConsumerFleet.opsRisk, environment: fleet.environment(), adminPort: 1)
            try replay.start(["replay-dead-letters", "--rate", "20", "--json", "--requested-by", "first"])
            let isUnderWay = try await eventually(within: .seconds(20), every: .milliseconds(20)) {
                try await fleet.number("SELECT count(*) FROM dead_letter_events WHERE status = 'replayed'") >= 5
            }
            #expect(isUnderWay)
            replay.end(SIGKILL)
            let arguments = ["replay-dead-letters", "--json"]
            // The environment of these processes names no user.
            let nobody = try LedgerProcess.run(arguments, of: ConsumerFleet.opsRisk, environment: fleet.environment())
            #expect(nobody.code == 64 && nobody.output.contains("--requested-by"), "\(nobody.output)")
            let rest = try LedgerProcess.run(
                arguments + ["--requested-by", "second"], of: ConsumerFleet.opsRisk, environment: fleet.environment())
            #expect(rest.code == 0, "\(rest.output)")
            #expect(try await fleet.number("SELECT count(*) FROM dead_letter_events WHERE status = 'replayed'") == Int64(Self.events))
            #expect(try await fleet.number("SELECT count(*) FROM replay_runs WHERE finished_at IS NULL") == 1)
            #expect(try await fleet.number("SELECT count(*) FROM replay_runs WHERE ending = 'completed' AND requested_by = 'second'") == 1)
            try await judge(fleet, events: Self.events)
            print("crash point: replay interrupted: \(Self.events) events, 0 lost, 0 double effects")
        }
    }
}
