import AMQP
import Contracts
import Fleetctl
import StrictJSON
import Testing

@Suite("Load: events for the broker")
struct LoadEventTests {
    @Test("they are transfers' events that a consumer can read, each with an id of its own, in the order of their times")
    func events() throws {
        let publications = try TransferEvents(wallets: 3, milliseconds: 10).publications(count: 50)
        let envelopes = try publications.map { try EventEnvelope(reading: $0.message.body) }
        #expect(Set(envelopes.map(\.id)).count == 50)
        for (publication, envelope) in zip(publications, envelopes) {
            #expect(publication.exchange == "florin.events")
            #expect(publication.routingKey == TransferEventType.posted.rawValue)
            #expect(publication.message.messageID == envelope.id.description)
            #expect(publication.message.isPersistent)
            #expect((600...800).contains(publication.message.body.count))
            #expect(envelope.source == "wallet-ledger")
            var object = try JSONObjectReader(envelope.data)
            let transfer = try TransferPostedEvent(reading: &object, type: .posted)
            #expect(transfer.partitionKey == envelope.partitionKey)
            #expect(transfer.legs[0].walletID != transfer.legs[1].walletID)
        }
        for (earlier, later) in zip(envelopes, envelopes.dropFirst()) {
            #expect(later.time.millisecondsSinceUnixEpoch - earlier.time.millisecondsSinceUnixEpoch == 10)
        }
    }
}
