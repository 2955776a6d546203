import AMQP
import Contracts
import EventBroker
import Foundation
import Observability
import Postgres
import ServiceRuntime
import StrictJSON
import TestSupport
import Testing

@testable import EventConsumption

@Suite struct RetryPlanTests {
    @Test func `the standard plan has five growing delays, each with a queue of its own that leads back`() throws {
        let plan = RetryPlan.standard
        #expect(plan.text == "1s,5s,30s,2m,10m" && RetryPlan(text: plan.text) == plan && plan.maximumAttempts == 6)
        let queues = plan.queues(of: "ops-risk")
        #expect(queues.map(\.name) == ["1s", "5s", "30s", "2m", "10m"].map { "ops-risk.retry.\($0)" })
        #expect(queues[3].arguments["x-message-ttl"] == .integer(120_000))
        #expect(queues.allSatisfy { $0.arguments["x-dead-letter-strategy"] == "at-least-once" && $0.arguments["x-overflow"] == "reject-publish" })
        #expect(queues.allSatisfy { $0.kind == .quorum && $0.arguments["x-dead-letter-routing-key"] == .string("ops-risk") })
        #expect((1...6).map { plan.delay(afterAttempt: $0) } == plan.delays + [nil])
    }

    @Test(arguments: ["", "5s,5s", "10s,5s", "1s,", "one", "0s", "25h", "1s,2s,3s,4s,5s,6s,7s,8s,9s,10s,11s"])
    func `delays that don't grow, are too many or no durations are refused`(text: String) { #expect(RetryPlan(text: text) == nil) }
}

@Suite struct EventHeaderTests {
    private func raw(_ headers: [String: AMQPValue], exchange: String, from user: String = "ops-risk") -> RawMessage {
        RawMessage(
            AMQPMessage(body: [], messageID: "1", userID: user, headers: headers), exchange: exchange, routingKey: "queue", consumedAs: "ops-risk")
    }

    @Test func `a retry carries its history and drops the broker's`() throws {
        let now = try #require(Timestamp(rfc3339: "2026-11-21T05:00:00.123Z", rounding: .down))
        let message = AMQPMessage(
            body: [1], messageID: "m", type: "t", userID: "wallet-ledger-relay",
            headers: [
                "x-death": .array([]), "x-first-death-queue": "q", "x-delivery-count": 3, "other": "kept", "CC": .array(["florin.dead"]),
                "BCC": .array(["florin.dead"]),
            ])
        let first = RawMessage(message, exchange: "florin.events", routingKey: "ledger.transfer.posted.v1", consumedAs: "ops-risk")
        let again = EventHeader.retried(message, of: first, .transient("x"), as: "ops-risk", now: now)
        #expect(again.userID == "ops-risk")
        #expect(
            again.headers == [
                "other": "kept", EventHeader.attempt: 2, EventHeader.firstFailedAt: "2026-11-21T05:00:00.123Z", EventHeader.error: "transient",
                EventHeader.routingKey: "ledger.transfer.posted.v1", EventHeader.publisher: "wallet-ledger-relay",
            ])
        let second = RawMessage(again, exchange: "", routingKey: "ops-risk", consumedAs: "ops-risk")
        #expect(second.attempt == 2 && second.firstFailedAt == now && second.routingKey == "ledger.transfer.posted.v1")
        #expect(second.publisher == .user("wallet-ledger-relay"))
        let third = EventHeader.retried(again, of: second, .transient("x"), as: "ops-risk", now: now.nextMillisecond)
        #expect(third.headers[EventHeader.attempt] == 3 && third.headers[EventHeader.firstFailedAt] == again.headers[EventHeader.firstFailedAt])
        #expect(third.headers[EventHeader.publisher] == "wallet-ledger-relay")
    }

    @Test func `headers that are no history of ours are not believed`() {
        for value: AMQPValue in [0, -1, "2", 1_001, .unsupported] {
            #expect(raw([EventHeader.attempt: value], exchange: "").attempt == 1)
        }
        #expect(raw([EventHeader.attempt: 5, EventHeader.routingKey: "other"], exchange: "florin.events").attempt == 1)
        #expect(raw([EventHeader.routingKey: "other"], exchange: "florin.events").routingKey == "queue")
        #expect(raw([EventHeader.firstFailedAt: "yesterday"], exchange: "").firstFailedAt == nil)
        // By the default exchange another consumer may publish too, in no name but its own.
        let history: [String: AMQPValue] = [EventHeader.attempt: 5, EventHeader.routingKey: "other", EventHeader.publisher: "wallet-ledger-relay"]
        let strange = raw(history, exchange: "", from: "notification")
        #expect(strange.attempt == 1 && strange.routingKey == "queue" && strange.publisher == .user("notification"))
        #expect(raw([EventHeader.publisher: "wallet-ledger-relay"], exchange: "florin.events").publisher == .user("ops-risk"))
    }

    @Test func `headers are kept as bounded JSON, ours first`() {
        var headers: [String: AMQPValue] = [
            "x-florin-attempt": 2, "nested": .table(["a": .array([true, .bytes([1, 2]), .timestamp(7), .unsupported])]), "a\0b": "c\0d",
        ]
        #expect(
            MessageHeaders.json(headers).text
                == "{\"x-florin-attempt\":2,\"a\u{FFFD}b\":\"c\u{FFFD}d\",\"nested\":{\"a\":[true,\"AQI=\",7,null]}}")
        for index in 0..<50 { headers["h\(index)"] = .string(String(repeating: "v", count: 1_000)) }
        let text = MessageHeaders.json(headers).text
        #expect(text.utf8.count < MessageHeaders.maximumBytes + 100)
        #expect(text.hasPrefix("{\"x-florin-attempt\":2") && text.hasSuffix("\"x-florin-truncated\":true}"))
    }
}

@Suite struct FailureDiagnosisTests {
    private func server(_ state: String) async throws -> any Error {
        let connection = try await PostgresServer.shared().superuserConnection()
        do {
            try await connection.withSession { session in
                let statement = "DO $$ BEGIN RAISE EXCEPTION 'the event said 4711' USING ERRCODE = '\(state)'; END $$"
                _ = try session.execute(PostgresQuery(unsafeSQL: statement))
            }
        } catch {
            return error
        }
        throw EventFailure.poison("no error")
    }

    @Test(arguments: ["40001", "40P01"]) func `what Postgres aborts for others' sake runs again`(state: String) async throws {
        #expect(FailureDiagnosis(try await server(state)) == .conflict)
    }

    @Test(arguments: ["57P01", "57P03", "53100", "53300", "25006", "08006", "58030"])
    func `a database that can't work is nobody's fault`(state: String) async throws {
        #expect(FailureDiagnosis(try await server(state)) == .outage(isExplained: true))
    }

    @Test(arguments: ["53200", "53400"]) func `a statement may exhaust the server by itself`(state: String) async throws {
        #expect(FailureDiagnosis(try await server(state)) == .outage(isExplained: false))
    }

    @Test(arguments: ["23505", "22003", "42501", "P0001", "57014"])
    func `other errors are the event's, and say nothing of it`(state: String) async throws {
        guard case .failure(let failure) = FailureDiagnosis(try await server(state)) else {
            Issue.record("no failure")
            return
        }
        #expect(failure.kind == .transient && failure.reason.contains(state) && !failure.reason.contains("4711"))
    }

    @Test func `errors of the connection, the pool and the task`() {
        #expect(FailureDiagnosis(PostgresError(.connectFailed)) == .outage(isExplained: true))
        #expect(FailureDiagnosis(PostgresError(.poolTimeout)) == .outage(isExplained: true))
        #expect(FailureDiagnosis(PostgresError(.connectionLost)) == .outage(isExplained: false))
        #expect(FailureDiagnosis(PostgresError(.commitOutcomeUnknown)) == .outage(isExplained: false))
        #expect(FailureDiagnosis(PostgresError(.cancelled)) == .cancelled)
        #expect(FailureDiagnosis(CancellationError()) == .cancelled)
        #expect(FailureDiagnosis(EventFailure.refused("no")) == .failure(.refused("no")))
    }
}

@Suite struct EventSubscriptionTests {
    private func subscription() -> EventSubscription {
        EventSubscription(
            queue: EventConsumerQueue(service: "ops-risk", patterns: ["ledger.transfer.*.v1"]),
            handlers: [EventHandler(for: TransferPostedEvent.self) { _, _ in }], ignoring: ["ledger.wallet.opened.v1"])
    }

    private func read(_ body: [UInt8]) -> EventSubscription.Reading {
        read(AMQPMessage(body: body, messageID: "m", userID: "wallet-ledger-relay"))
    }

    /// - Parameter key: The type's, unless given.
    private func read(
        _ message: AMQPMessage, exchange: String = "florin.events", key: String? = nil, now: Timestamp = Timestamp.now()
    ) -> EventSubscription.Reading {
        let type = (try? JSONParser.parse(message.body))?["type"]?.stringValue
        return subscription().read(
            RawMessage(message, exchange: exchange, routingKey: key ?? type ?? "key", consumedAs: "ops-risk"), now: now)
    }

    private func golden(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(fileURLWithPath: RepositoryRoot.path("Tests/ContractsTests/golden/\(name).json"))))
    }

    @Test func `a payload of the contract is read by its type; what no binding lets through is named`() throws {
        guard case .event(let event) = read(try golden("ledger.transfer.posted.v1")) else {
            Issue.record("the golden event was not read")
            return
        }
        #expect((event.payload as? TransferPostedEvent)?.transferID.description == event.envelope.subject)
        #expect(event.attempt == 1)
        #expect(subscription().unboundTypes == ["ledger.wallet.opened.v1"])
    }

    @Test func `a broken payload is poison, a newer version is unsupported, and each says so without a value`() throws {
        let text = String(decoding: try golden("ledger.transfer.posted.v1"), as: UTF8.self)
        func failure(_ text: String) -> (EventFailure, EventFacts)? {
            guard case .failed(let failure, let facts) = read(Array(text.utf8)) else { return nil }
            return (failure, facts)
        }
        let poison = try #require(failure(text.replacing("\"legs\"", with: "\"arms\"")))
        #expect(poison.0.kind == .poison && poison.0.reason.contains("/data/legs"))
        #expect(poison.1.eventID != nil && poison.1.partitionKey != nil)
        #expect(failure(text.replacing("posted.v1", with: "posted.v2"))?.0.kind == .unsupported)
        let broken = try #require(failure(text.replacing("\"specversion\":\"1.0\"", with: "\"specversion\":\"9\"")))
        #expect(broken.0.kind == .poison && broken.1.eventID == poison.1.eventID)
        #expect(failure("{")?.1.eventID == nil)
    }

    private func failure(
        _ body: [UInt8], from user: String? = "wallet-ledger-relay", exchange: String = "florin.events", key: String? = nil,
        headers: [String: AMQPValue] = [:], now: Timestamp = Timestamp.now()
    ) -> (EventFailure, EventFacts)? {
        let message = AMQPMessage(body: body, messageID: "m", type: "claimed", userID: user, headers: headers)
        guard case .failed(let failure, let facts) = read(message, exchange: exchange, key: key, now: now) else { return nil }
        return (failure, facts)
    }

    @Test func `an event is taken from the relay of its producer alone, under its own type; nothing that a stranger says is believed`() throws {
        let genuine = try golden("ledger.transfer.posted.v1")
        let text = String(decoding: genuine, as: UTF8.self)
        let ours: [String: AMQPValue] = [
            EventHeader.publisher: "wallet-ledger-relay", EventHeader.routingKey: "ledger.transfer.posted.v1", EventHeader.attempt: 2,
        ]
        #expect(failure(genuine) == nil)
        #expect(failure(genuine, from: "ops-risk", exchange: "", key: "ops-risk", headers: ours) == nil)
        // Out of the queue of the dead.
        #expect(failure(genuine, exchange: "", key: "ops-risk") == nil)
        let forgeries: [(EventFailure, EventFacts)?] = [
            failure(genuine, from: "ops-risk-relay"), failure(genuine, from: nil), failure(genuine, from: ""),
            failure(genuine, from: "wallet-ledger"), failure(genuine, from: "wallet-ledger-relay\u{301}"),
            failure(genuine, from: "ops-risk", headers: ours),
            failure(genuine, from: "notification", exchange: "", key: "ops-risk", headers: ours), failure(genuine, key: "risk.alert.raised.v1"),
            failure(Array(text.replacing("\"source\":\"wallet-ledger\"", with: "\"source\":\"ops-risk\"").utf8)),
            failure(try golden("risk.alert.raised.v1")), failure(Array("no event".utf8), from: "ops-risk-relay"),
        ]
        let claimed = RawMessage(AMQPMessage(body: [], messageID: "m", type: "claimed"), exchange: "", routingKey: "", consumedAs: "")
        for (index, forgery) in forgeries.enumerated() {
            #expect(forgery?.0.kind == .forged, "\(index): \(forgery?.0.description ?? "taken")")
            // With the id of a genuine event it would take the place of that one's dead letter.
            #expect(forgery?.1 == EventFacts(forged: claimed))
        }
        // The patterns of the queue let no other through, but for what is sent to it by CC.
        let reason = try #require(failure(genuine, from: "ops-risk-relay")?.0.reason)
        #expect(reason.contains("ops-risk-relay"))
        #expect(failure(Array("no event".utf8))?.0.kind == .poison)
    }

    @Test func `an event from the future waits until its time has come, and says so`() throws {
        let genuine = try golden("ledger.transfer.posted.v1")
        let time = try EventEnvelope(reading: genuine).time
        #expect(failure(genuine, now: time.earlier(by: EventOrigin.maximumTimeAhead)) == nil)
        let early = try #require(failure(genuine, now: time.earlier(by: EventOrigin.maximumTimeAhead + .milliseconds(1))))
        #expect(early.0.kind == .transient && early.0.reason.contains("ahead") && early.1.eventID != nil)
    }

    @Test func `what the envelope says of a payload must be so`() throws {
        let text = String(decoding: try golden("ledger.transfer.posted.v1"), as: UTF8.self)
        let envelope = try EventEnvelope(reading: Array(text.utf8))
        for (member, value) in [
            ("subject", envelope.subject), ("partitionkey", envelope.partitionKey), ("dataschema", "urn:florin:schema:\(envelope.type)"),
        ] {
            let other = text.replacing("\"\(member)\":\"\(value)\"", with: "\"\(member)\":\"another\"")
            #expect(other != text)
            let found = try #require(failure(Array(other.utf8)))
            #expect(found.0.kind == .poison && found.0.reason.contains("/\(member)"))
        }
    }
}

@Suite struct ConsumptionStateTests {
    @Test func `the lag grows while a batch is in hand`() async throws {
        let state = ConsumptionState()
        state.took(lag: 5)
        #expect(try await eventually { state.lag > 5.02 })
        state.waits()
        let lag = state.lag
        #expect(lag > 5.02 && state.lag == lag)
    }
}

@Suite struct ConsumptionSettingsTests {
    @Test func `settings have defaults, and what is not accepted is named`() throws {
        let settings = ConsumptionSettings(try SettingsReader(environment: [:]).read(ConsumptionSettings.declared))
        #expect(settings.retries == .standard && settings.prefetch == 200 && settings.batchLimit == 100)
        #expect(settings.options.retries == .standard && settings.options.batchLimit == 100)
        let fault = #expect(throws: InvalidConfiguration.self) { try settings.keys() }
        #expect(fault?.description.hasPrefix("DEAD_LETTER_KEYS_FILE") == true)
        for (key, value) in [("EVENT_RETRY_DELAYS", "5s,1s"), ("EVENT_PREFETCH", "0"), ("EVENT_BATCH_LIMIT", "many")] {
            let fault = #expect(throws: InvalidConfiguration.self) {
                try SettingsReader(environment: [key: value]).read(ConsumptionSettings.declared)
            }
            #expect(fault?.description.hasPrefix(key) == true)
        }
    }
}
