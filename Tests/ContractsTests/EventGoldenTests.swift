import Contracts
import Foundation
import Testing

/// What is on the wire stays on the wire: a version of an event never changes by a byte.
@Suite("Events")
struct EventGoldenTests {
    private func golden(_ name: String) throws -> String {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "golden")
        return try String(contentsOf: folder.appending(path: "\(name).json"), encoding: .utf8)
    }

    private func envelope(_ type: LedgerEventType, subject: String, partition: WalletID, _ body: some WireEncodable) throws -> String {
        let envelope = EventEnvelope(
            id: Samples.eventID, source: "wallet-ledger", type: type.rawValue, subject: subject, time: Samples.time,
            partitionKey: partition.description, traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            data: try JSONParser.parse(body.wireBytes()))
        return String(decoding: envelope.wireBytes(), as: UTF8.self) + "\n"
    }

    @Test("an event in its envelope is what its golden file holds, byte by byte", arguments: LedgerEventType.allCases)
    func events(type: LedgerEventType) throws {
        let wallet = Samples.wallet.description
        let written =
            switch type {
            case .walletOpened: try envelope(type, subject: wallet, partition: Samples.wallet, Samples.opened)
            case .walletStatusChanged: try envelope(type, subject: wallet, partition: Samples.wallet, Samples.change)
            case .transferPosted: try transfer(Samples.posted)
            case .transferRefunded: try transfer(Samples.refunded)
            case .holdPlaced: try hold(Samples.held(.placed, .open, remaining: 1_250))
            case .holdCaptured: try hold(Samples.held(.captured, .open, captured: 1_000, remaining: 250, transfer: Samples.transferID))
            case .holdVoided: try hold(Samples.held(.voided, .voided, released: 250))
            case .holdExpired: try hold(Samples.held(.expired, .expired, released: 250))
            }
        #expect(written == (try golden(type.rawValue)))
    }

    private func transfer(_ event: TransferPosted) throws -> String {
        try envelope(event.type, subject: event.transferID.description, partition: event.legs[0].walletID, event)
    }

    private func hold(_ event: HoldChanged) throws -> String {
        try envelope(event.type, subject: event.holdID.description, partition: event.walletID, event)
    }

    @Test("without a trace the envelope has no traceparent, and its required members are there")
    func envelope() throws {
        let envelope = EventEnvelope(
            id: Samples.eventID, source: "wallet-ledger", type: "ledger.wallet.opened.v1", subject: Samples.wallet.description,
            time: Samples.time, partitionKey: Samples.wallet.description, traceparent: nil,
            data: try JSONParser.parse(Samples.opened.wireBytes()))
        let json = try JSONParser.parse(envelope.wireBytes())
        let names = json.objectValue?.map(\.name)
        #expect(
            names == ["specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema", "partitionkey", "data"])
        #expect(json["specversion"]?.stringValue == "1.0")
        #expect(json["dataschema"]?.stringValue == "urn:florin:schema:ledger.wallet.opened.v1")
        #expect(json["data"]?["owner_id"]?.stringValue == Samples.owner.description)
    }
}
