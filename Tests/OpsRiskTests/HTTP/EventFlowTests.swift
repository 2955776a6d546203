import AMQP
import Contracts
import EventBroker
import EventConsumption
import Foundation
import Logging
import Observability
import ServiceRuntime
import StrictJSON
import Synchronization
import TestSupport
import Testing

@testable import OpsRisk

/// From an event at the broker to an alert over HTTP, in the process as it is composed.
@Suite struct EventFlowTests {
    private func publish(_ envelopes: [EventEnvelope], _ api: RiskAPI) async throws {
        let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let publisher = try AMQPPublisher(
            configuration: AMQPConfiguration(url: api.broker.url()), name: "flow",
            topology: try #require(EventTopology.consumer(of: "ops-risk")).topology, logger: quiet)
        await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await publisher.run() }
            for envelope in envelopes {
                let outcome = await publisher.publish(
                    EventMessage.publication(
                        envelope: envelope.wireBytes(), id: envelope.id, type: envelope.type, source: envelope.source, time: envelope.time))
                #expect(outcome == .confirmed)
            }
            group.cancelAll()
        }
    }

    private func envelope(_ posting: TransferPostedEvent, traceparent: String? = nil) throws -> EventEnvelope {
        try EventEnvelope(posting, id: EventID(UUID()), time: posting.postedAt, traceparent: traceparent)
    }

    private func alerts(of wallet: WalletID, _ api: RiskAPI) async throws -> [JSONValue] {
        let answer = try await api.send(SignedCall("GET", "/v1/risk/alerts?wallet_id=\(wallet)", as: try await api.staff()))
        return try #require(answer.json["data"]?.arrayValue)
    }

    @Test func aPostingBecomesAnAlertOnceAndInItsTrace() async throws {
        let api = try await RiskAPI.shared()
        let (payer, refunder, saver) = (RiskSamples.newWallet(), RiskSamples.newWallet(), RiskSamples.newWallet())
        let posting = RiskSamples.posting(.transfer, from: payer, 2_000_000)
        let trace = "4bf92f3577b34da6a3ce929d0e0e4737"
        let event = try envelope(posting, traceparent: "00-\(trace)-00f067aa0ba902b7-01")
        try await publish(
            [
                event, event, try envelope(RiskSamples.posting(.refund, from: refunder, 2_000_000)),
                try envelope(RiskSamples.posting(.deposit, from: saver, 2_000_000)), try envelope(posting),
                try envelope(RiskSamples.posting(.withdrawal, from: payer, 1_000_000)),
            ], api)
        #expect(try await eventually(within: .seconds(30)) { try await alerts(of: payer, api).count == 2 })
        #expect(try await alerts(of: refunder, api) == [])
        #expect(try await alerts(of: saver, api) == [])
        let alert = try #require(try await alerts(of: payer, api).first { $0["transfer_id"]?.stringValue == "\(posting.transferID)" })
        let raised = try #require(try await api.fixture.events().first { $0.subject == alert["id"]?.stringValue })
        #expect(raised.traceparent?.contains(trace) == true)
        #expect(api.metrics.render().contains("event_consumed_total{consumer=\"ops-risk\",result=\"ignored\"}"))
    }

    @Test func whatCannotBeReadIsADeadLetterThatTheCommandsSeeAndStopsNothing() async throws {
        let api = try await RiskAPI.shared()
        let wallet = RiskSamples.newWallet()
        let good = try envelope(RiskSamples.posting(.capture, from: wallet, 3_000_000))
        let bad = EventEnvelope(
            id: EventID(UUID()), source: "wallet-ledger", type: "ledger.transfer.posted.v1", subject: "x", time: RiskSamples.time(0),
            partitionKey: "\(wallet)", traceparent: nil, data: .object([]))
        try await publish([bad, good], api)
        #expect(try await eventually(within: .seconds(30)) { try await alerts(of: wallet, api).count == 1 })
        let lines = Mutex<[String]>([])
        let desk = ConsumerDeadLetterCommands<OpsRisk>(environment: api.environment, print: { line in lines.withLock { $0.append(line) } })
        let found = try await eventually(within: .seconds(10)) {
            lines.withLock { $0 = [] }
            let exit = await desk.list(DeadLetterFilter(limit: 100), json: true)
            return exit == .success && lines.withLock { $0.contains { $0.contains("\(bad.id)") && $0.contains("poison") } }
        }
        #expect(found, "\(lines.withLock { $0 })")
    }
}
