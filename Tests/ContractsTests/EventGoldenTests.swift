import Contracts
import Foundation
import StrictJSON
import TestSupport
import Testing

/// The golden files: what is on the wire stays on the wire. `<type>.json`, and `<type>+<variant>.json` where one file can't show all.
enum Golden {
    static let folder = RepositoryRoot.path("Tests/ContractsTests/golden")

    static let events: [(name: String, payload: any EventPayload)] = [
        ("ledger.wallet.opened.v1", Samples.opened), ("ledger.wallet.opened.v1+unowned", Samples.unowned),
        ("ledger.wallet.status_changed.v1", Samples.change), ("ledger.transfer.posted.v1", Samples.posted),
        ("ledger.transfer.posted.v1+capture", Samples.captureMoved), ("ledger.transfer.refunded.v1", Samples.refunded),
        ("ledger.hold.placed.v1", Samples.held(.placed, .open, remaining: 1_250)),
        ("ledger.hold.captured.v1", Samples.held(.captured, .open, captured: 1_000, remaining: 250, transfer: Samples.transferID)),
        ("ledger.hold.voided.v1", Samples.held(.voided, .voided, released: 250)),
        ("ledger.hold.expired.v1", Samples.held(.expired, .expired, released: 250)), ("risk.alert.raised.v1", Samples.highValue),
        ("risk.alert.raised.v1+velocity", Samples.velocity), ("risk.alert.resolved.v1", Samples.resolved),
        ("identity.user.registered.v1", Samples.registered), ("identity.account.recovered.v1", Samples.recovered),
        ("identity.mfa.changed.v1", Samples.mfaChanged), ("identity.sign_in.failed.v1", Samples.signInFailed),
        ("identity.session.started.v1", Samples.sessionStarted), ("identity.session.revoked.v1", Samples.sessionRevoked),
        ("identity.message.requested.v1", Samples.recoveryMessage),
        ("identity.message.requested.v1+stranger", Samples.strangerMessage),
    ]

    static let names = events.map(\.name)

    static func bytes(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(filePath: "\(folder)/\(name).json")))
    }
}

/// A version of an event never changes by a byte.
@Suite("Events: golden files")
struct EventGoldenTests {
    private func envelope(_ payload: some EventPayload) throws -> EventEnvelope {
        try EventEnvelope(
            payload, id: Samples.eventID, time: Samples.time, traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
    }

    @Test("an event in its envelope is what its golden file holds, byte by byte", arguments: Golden.names)
    func written(name: String) throws {
        let payload = try #require(Golden.events.first { $0.name == name }).payload
        #expect(try envelope(payload).wireBytes() + [UInt8(ascii: "\n")] == Golden.bytes(name))
    }

    @Test("what is read from a golden file is written as the same bytes again", arguments: Golden.names)
    func readBack(name: String) throws {
        let golden = try Golden.bytes(name)
        let envelope = try EventEnvelope(reading: golden)
        #expect(name.hasPrefix(envelope.type))
        let payload = try envelope.anyPayload()
        let again = try self.envelope(payload)
        #expect(again == envelope)
        #expect(again.wireBytes() + [UInt8(ascii: "\n")] == golden)
    }

    @Test("without a trace the envelope has no traceparent, and its required members are there")
    func untraced() throws {
        let envelope = try EventEnvelope(Samples.opened, id: Samples.eventID, time: Samples.time, traceparent: nil)
        let json = try JSONParser.parse(envelope.wireBytes())
        let names = json.objectValue?.map(\.name)
        #expect(
            names == ["specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema", "partitionkey", "data"])
        #expect(json["specversion"]?.stringValue == "1.0")
        #expect(json["dataschema"]?.stringValue == "urn:florin:schema:ledger.wallet.opened.v1")
        #expect(json["data"]?["owner_id"]?.stringValue == Samples.owner.description)
    }

    @Test("an event's subject and partition key follow from its payload")
    func keys() throws {
        let refund = try envelope(Samples.refunded)
        #expect(refund.subject == Samples.refundID.description)
        // The debited wallet, which for a refund is the one that received the money.
        #expect(refund.partitionKey == Samples.other.description)
        #expect(refund.source == "wallet-ledger")
        let alert = try envelope(Samples.velocity)
        #expect(alert.subject == Samples.alertID.description)
        #expect(alert.partitionKey == Samples.wallet.description)
        #expect(alert.source == "ops-risk")
    }
}
