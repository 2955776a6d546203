import AMQP
import Contracts
import EventBroker
import Foundation
import Testing

@Suite("An event as a message")
struct EventMessageTests {
    @Test("the body is the envelope as it is; the properties repeat what a broker's tools show")
    func mapping() {
        let id = EventID(UUID())
        let body = Array(#"{"specversion":"1.0"}"#.utf8)
        let publication = EventMessage.publication(
            envelope: body, id: id, type: "ledger.transfer.posted.v1", source: "wallet-ledger",
            time: Timestamp(microsecondsSinceUnixEpoch: 1_795_237_200_999_999))
        let message = publication.message
        #expect(message.body == body && message.messageID == id.description && message.messageID.hasPrefix("evt_"))
        #expect(message.contentType == "application/cloudevents+json" && message.type == "ledger.transfer.posted.v1")
        #expect(message.appID == "wallet-ledger" && message.isPersistent && message.headers.isEmpty && message.correlationID == nil)
        #expect(message.userID == "wallet-ledger-relay")
        // AMQP counts whole seconds.
        #expect(message.timestamp == 1_795_237_200)
        #expect(publication.exchange == "florin.events" && publication.routingKey == "ledger.transfer.posted.v1")
    }

    @Test("a time before 1970, which AMQP can't say, is its beginning")
    func early() {
        let publication = EventMessage.publication(
            envelope: [], id: EventID(UUID()), type: "a.v1", source: "a", time: Timestamp(microsecondsSinceUnixEpoch: -1))
        #expect(publication.message.timestamp == 0)
    }
}
