import Testing

@testable import AMQP

/// A publisher's decisions, as a transcript of what the broker says.
@Suite struct ConfirmWindowTests {
    private let later = ContinuousClock.now + .seconds(60)

    private func publication(_ id: String, key: String = "a.b") -> AMQPPublication {
        AMQPPublication(AMQPMessage(body: [], messageID: id), exchange: "x", routingKey: key)
    }

    private func back(_ id: String, key: String = "a.b") -> ReturnedMessage {
        ReturnedMessage(code: 312, text: "NO_ROUTE", exchange: "x", routingKey: key, messageID: id)
    }

    /// A window with an open channel and these messages sent, as tags 1, 2, ...
    private func window(sent ids: [String], capacity: Int = 10) -> ConfirmWindow<String> {
        var window = ConfirmWindow<String>(capacity: capacity)
        _ = window.opened()
        for (index, id) in ids.enumerated() {
            let tag = window.sending(publication(id), ticket: id, deadline: later)
            #expect(tag == UInt64(index + 1))
        }
        return window
    }

    private func words(_ settlements: [ConfirmWindow<String>.Settlement]) -> [String] {
        settlements.map { "\($0.ticket) \($0.outcome.label)" }
    }

    @Test func `each message is settled by its own tag, in the broker's order`() {
        var window = window(sent: ["a", "b", "c"])
        #expect(words(window.confirmed(tag: 2, isMultiple: false, generation: 1)) == ["b confirmed"])
        #expect(words(window.confirmed(tag: 1, isMultiple: false, generation: 1)) == ["a confirmed"])
        #expect(window.count == 1)
        #expect(words(window.confirmed(tag: 3, isMultiple: false, generation: 1)) == ["c confirmed"])
        #expect(window.count == 0)
    }

    @Test func `a multiple confirm settles all up to its tag that are not settled yet, and none beyond`() {
        var window = window(sent: ["a", "b", "c", "d", "e"])
        #expect(words(window.confirmed(tag: 2, isMultiple: false, generation: 1)) == ["b confirmed"])
        #expect(words(window.confirmed(tag: 4, isMultiple: true, generation: 1)) == ["a confirmed", "c confirmed", "d confirmed"])
        #expect(words(window.confirmed(tag: 4, isMultiple: true, generation: 1)) == [])
        #expect(words(window.confirmed(tag: 0, isMultiple: true, generation: 1)) == ["e confirmed"])
    }

    @Test func `a message that came back is unroutable when its tag is confirmed, alone or among others`() {
        var window = window(sent: ["a", "b", "c", "d"])
        window.returned(back("b"), generation: 1)
        #expect(words(window.confirmed(tag: 2, isMultiple: false, generation: 1)) == ["b unroutable"])
        window.returned(back("d"), generation: 1)
        let rest = window.confirmed(tag: 4, isMultiple: true, generation: 1)
        #expect(words(rest) == ["a confirmed", "c confirmed", "d unroutable"])
        #expect(rest.last?.outcome == .unroutable(code: 312, text: "NO_ROUTE"))
    }

    @Test func `two messages of one id are told apart by where they went`() {
        var window = ConfirmWindow<String>(capacity: 10)
        _ = window.opened()
        _ = window.sending(publication("same", key: "wanted"), ticket: "first", deadline: later)
        _ = window.sending(publication("same", key: "unwanted"), ticket: "second", deadline: later)
        window.returned(back("same", key: "unwanted"), generation: 1)
        #expect(words(window.confirmed(tag: 2, isMultiple: true, generation: 1)) == ["first confirmed", "second unroutable"])
    }

    @Test func `two equal messages that both come back are both unroutable`() {
        var window = window(sent: ["same", "same"])
        window.returned(back("same"), generation: 1)
        window.returned(back("same"), generation: 1)
        #expect(words(window.confirmed(tag: 2, isMultiple: true, generation: 1)) == ["same unroutable", "same unroutable"])
    }

    @Test func `a nack says that the broker could not, for one or for all up to it`() {
        var window = window(sent: ["a", "b", "c"])
        #expect(words(window.nacked(tag: 2, isMultiple: false, generation: 1)) == ["b nacked"])
        #expect(words(window.nacked(tag: 3, isMultiple: true, generation: 1)) == ["a nacked", "c nacked"])
    }

    @Test func `what a channel leaves is unknown, and an answer of its generation settles nothing on the next`() {
        var window = window(sent: ["a", "b"])
        #expect(words(window.closed(.channelClosed(code: 404, text: "NOT_FOUND"), isConnectionLost: false)) == ["a unknown", "b unknown"])
        #expect(!window.maySend)
        #expect(words(window.confirmed(tag: 1, isMultiple: false, generation: 1)) == [])
        #expect(window.opened() == 2)
        #expect(window.sending(publication("c"), ticket: "c", deadline: later) == 1)
        window.returned(back("c"), generation: 1)
        #expect(words(window.confirmed(tag: 1, isMultiple: true, generation: 1)) == [])
        #expect(words(window.nacked(tag: 1, isMultiple: false, generation: 1)) == [])
        #expect(words(window.confirmed(tag: 1, isMultiple: false, generation: 2)) == ["c confirmed"])
    }

    @Test func `an answer to a tag that was never given settles nothing`() {
        var window = window(sent: ["a"])
        #expect(words(window.confirmed(tag: 7, isMultiple: true, generation: 1)) == [])
        #expect(words(window.confirmed(tag: 1, isMultiple: false, generation: 1)) == ["a confirmed"])
        #expect(words(window.confirmed(tag: 1, isMultiple: false, generation: 1)) == [])
    }

    @Test func `a full window sends nothing until something is settled`() {
        var window = window(sent: ["a", "b"], capacity: 2)
        #expect(!window.maySend)
        _ = window.confirmed(tag: 1, isMultiple: false, generation: 1)
        #expect(window.maySend)
        #expect(window.sending(publication("c"), ticket: "c", deadline: later) == 3)
        #expect(!window.maySend)
    }

    @Test func `a blocked broker is sent nothing, its answers still count, and a new connection is not blocked`() {
        var window = window(sent: ["a"])
        window.blocked(reason: "low on memory")
        #expect(!window.maySend)
        #expect(window.blockedReason == "low on memory")
        #expect(words(window.confirmed(tag: 1, isMultiple: false, generation: 1)) == ["a confirmed"])
        _ = window.closed(.channelClosed(code: 404, text: ""), isConnectionLost: false)
        _ = window.opened()
        #expect(!window.maySend)
        window.unblocked()
        #expect(window.maySend)
        window.blocked(reason: "low on disk")
        _ = window.closed(.connectionLost, isConnectionLost: true)
        _ = window.opened()
        #expect(window.maySend)
    }

    @Test func `a message whose time is over is unknown, and its late answer settles nothing`() {
        let now = ContinuousClock.now
        var window = ConfirmWindow<String>(capacity: 10)
        _ = window.opened()
        for (id, seconds) in [("a", 1), ("b", 2), ("c", 3)] {
            _ = window.sending(publication(id), ticket: id, deadline: now + .seconds(seconds))
        }
        window.returned(back("b"), generation: 1)
        #expect(words(window.expired(at: now)) == [])
        // One that came back went nowhere; that much is known.
        #expect(words(window.expired(at: now + .seconds(2))) == ["a unknown", "b unroutable"])
        #expect(words(window.confirmed(tag: 2, isMultiple: true, generation: 1)) == [])
        #expect(words(window.confirmed(tag: 3, isMultiple: false, generation: 1)) == ["c confirmed"])
    }

    @Test func `whatever order the broker answers in, each message is settled once`() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<50 {
            var window = window(sent: (1...40).map { "\($0)" }, capacity: 40)
            var settled: [String] = []
            while window.count > 0 {
                let tag = UInt64.random(in: 1...40, using: &random)
                let isMultiple = Int.random(in: 0..<8, using: &random) == 0
                settled += window.confirmed(tag: tag, isMultiple: isMultiple, generation: 1).map(\.ticket)
            }
            #expect(settled.count == 40)
            #expect(Set(settled).count == 40)
        }
    }
}
