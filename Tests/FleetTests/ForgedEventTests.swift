import AMQP
import Contracts
import EventBroker
import Foundation
import Postgres
import TestSupport
import Testing

/// Events that a user of the broker forges, with the permissions that it has in the fleet, against a consumer that runs.
@Suite("Fleet: forged events", .serialized)
struct ForgedEventTests {
    /// The forger's own key, under which alone it may publish.
    private static let key = "risk.alert.raised.v1"
    private static let forger = "ops-risk-relay"
    private static let target: AMQPValue = .array(["ledger.transfer.posted.v1"])

    private func forged(_ genuine: AMQPPublication, from user: String?, headers: [String: AMQPValue]) -> AMQPPublication {
        var forged = genuine
        forged.message.userID = user
        forged.message.headers = headers
        forged.routingKey = Self.key
        return forged
    }

    @Test("what another producer's relay sends by CC or BCC has no effect; each is a dead letter of its own class, and counted")
    func carbonCopies() async throws {
        try await ConsumerFleet.with { fleet in
            let consumer = try fleet.consumer()
            let transfers = try fleet.transfers(5, ofWallets: 5)
            let forgeries = [
                forged(transfers[0], from: Self.forger, headers: ["CC": Self.target]),
                forged(transfers[1], from: nil, headers: ["CC": Self.target]),
                forged(transfers[2], from: Self.forger, headers: ["BCC": Self.target]),
                forged(transfers[3], from: nil, headers: ["BCC": Self.target]),
            ]
            #expect(try await fleet.publish(forgeries, as: Self.forger).allSatisfy { $0 == .confirmed })
            // In the name of the relay whose events these would be the broker takes none.
            let named = try await fleet.publish(
                [forged(transfers[4], from: "wallet-ledger-relay", headers: ["CC": Self.target])], as: Self.forger)
            if case .unknown(.channelClosed(code: 406, _)) = named[0] {} else { Issue.record("\(named)") }
            // A genuine one behind them: when it has had its effect, the others have had their turn.
            try await fleet.publish(1, ofWallets: 1)
            #expect(try await eventually(within: .seconds(30)) { try await fleet.number("SELECT count(*) FROM risk_alerts") == 1 })
            #expect(try await eventually(within: .seconds(30)) { try await fleet.number("SELECT count(*) FROM dead_letter_events") == 4 })
            let letters = try await fleet.rows("SELECT error_class || ' ' || coalesce(event_id::text, '') FROM dead_letter_events") { row in
                try row.decode(String.self)
            }
            #expect(letters == Array(repeating: "forged ", count: 4))
            #expect(try await fleet.number("SELECT count(*) FROM processed_events") == 1)
            let metrics = try await PlainExchange(target: "/metrics").send(to: consumer.adminPort).text
            let counter = metrics.split(whereSeparator: \.isNewline).first {
                $0.hasPrefix("event_dead_letters_total{") && $0.contains("class=\"forged\"")
            }
            #expect(counter?.hasSuffix(" 4") == true, "\(counter ?? "none")")
            #expect(try await fleet.number("SELECT count(*) FROM risk_alerts") == 1)
        }
    }

    @Test("a forged event with the id of a genuine dead letter leaves that one as it is")
    func takenID() async throws {
        try await ConsumerFleet.with { fleet in
            let consumer = try fleet.consumer()
            defer { consumer.end(SIGKILL) }
            var unreadable = try fleet.transfers(1, ofWallets: 1)[0]
            unreadable.message.body = Array(String(decoding: unreadable.message.body, as: UTF8.self).replacing("\"legs\"", with: "\"arms\"").utf8)
            try await fleet.publish([unreadable])
            #expect(try await eventually(within: .seconds(30)) { try await fleet.number("SELECT count(*) FROM dead_letter_events") == 1 })
            let before = try await fleet.rows("SELECT md5(body) FROM dead_letter_events") { row in try row.decode(String.self) }
            var copy = forged(unreadable, from: Self.forger, headers: ["CC": Self.target])
            copy.message.body += Array(" ".utf8)
            #expect(try await fleet.publish([copy], as: Self.forger) == [.confirmed])
            #expect(try await eventually(within: .seconds(30)) { try await fleet.number("SELECT count(*) FROM dead_letter_events") == 2 })
            let genuine = try await fleet.rows(
                "SELECT md5(body) FROM dead_letter_events WHERE error_class = 'poison' AND event_id IS NOT NULL"
            ) { row in try row.decode(String.self) }
            #expect(genuine == before)
        }
    }
}
