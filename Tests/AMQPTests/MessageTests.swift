import Concurrency
import Testing

@testable import AMQP

@Suite struct AMQPMessageTests {
    private func publication(id: String = "1", type: String? = nil, headers: [String: AMQPValue] = [:], key: String = "k") -> AMQPPublication {
        AMQPPublication(AMQPMessage(body: [], messageID: id, type: type, headers: headers), exchange: "x", routingKey: key)
    }

    @Test func `what librabbitmq would send as garbage is refused`() {
        let long = String(repeating: "x", count: 256)
        #expect(publication().flaw == nil)
        #expect(publication(id: "").flaw != nil)
        #expect(publication(id: long).flaw != nil)
        #expect(publication(type: long).flaw != nil)
        #expect(publication(key: long).flaw != nil)
        #expect(publication(headers: [long: 1]).flaw != nil)
        #expect(publication(headers: ["a": .array([.table(["b": .table([long: 1])])])]).flaw != nil)
        #expect(publication(headers: ["a": .string(String(repeating: "x", count: 70_000))]).flaw != nil)
        #expect(publication(headers: ["a": .string(String(repeating: "x", count: 60_000))]).flaw == nil)
    }

    @Test func `a connection that can't be guarded is none`() {
        // As when the process has no descriptors left: there is no duplicate.
        #expect(throws: AMQPError.self) { try CallWatchdog(limit: .seconds(1)).attach(-1) }
    }

    @Test func `pauses double up to their bound, and any shorter one is possible`() {
        let backoff = Backoff(first: .milliseconds(200), maximum: .seconds(30))
        #expect(
            (1...10).map { backoff.ceiling(after: $0) }.prefix(4) == [
                .milliseconds(200), .milliseconds(400), .milliseconds(800), .milliseconds(1600),
            ])
        #expect(backoff.ceiling(after: 10) == .seconds(30))
        #expect(backoff.ceiling(after: 10_000) == .seconds(30))
        let pauses = (0..<200).map { _ in backoff.pause(after: 1) }
        #expect(pauses.allSatisfy { $0 >= .zero && $0 <= .milliseconds(200) })
        #expect(pauses.contains { $0 < .milliseconds(100) } && pauses.contains { $0 > .milliseconds(100) })
    }

    @Test(
        "the broker's words about a declaration become a finding",
        arguments: [
            (404, "NOT_FOUND - no queue 'q' in vhost '/'", "queue q is missing"),
            (
                406,
                "PRECONDITION_FAILED - inequivalent arg 'x-message-ttl' for queue 'q' in vhost '/': received the value '5000' of type "
                    + "'signedint' but current is none", "queue q has x-message-ttl none, wanted 5000"
            ),
            (
                406, "PRECONDITION_FAILED - inequivalent arg 'durable' for queue 'q' in vhost '/': received 'true' but current is 'false'",
                "queue q has durable false, wanted true"
            ),
            (406, "PRECONDITION_FAILED - something new", "queue q has its arguments otherwise, wanted otherwise"),
            (403, "ACCESS_REFUSED - access to queue 'q' refused", "queue q is refused with 403"),
        ])
    func findings(code: Int, text: String, description: String) {
        let error = AMQPError(.channelClosed, replyCode: code, brokerText: text)
        #expect(TopologyFinding(error, about: .queue, named: "q").description == description)
    }

    @Test func `an error shows the broker's name for its code, and its words only to a developer`() {
        let error = AMQPError(.channelClosed, replyCode: 404, brokerText: "NOT_FOUND - no queue 'q'")
        #expect("\(error)" == "amqp: channel_closed 404 NOT_FOUND")
        #expect(String(reflecting: error).contains("no queue 'q'"))
    }
}
