import NIOCore
import Redis
import Testing

/// Each test is a transcript: what callers, server and clock say, and what is decided. Callers are numbers.
@Suite("Whose reply a reply is")
struct RedisConnectionStateTests {
    private static func at(_ milliseconds: Int64) -> NIODeadline { .uptimeNanoseconds(1_000_000_000) + .milliseconds(milliseconds) }

    private func state(maximumInFlight: Int = 8) -> RedisConnectionState<Int> {
        RedisConnectionState(maximumInFlight: maximumInFlight, silenceLimit: .milliseconds(1_000))
    }

    /// `1: OK`, `1: error OOM`, with ` last` where the connection is of no more use; `late`, `push`, `unsolicited`.
    private func said(_ reception: RedisConnectionState<Int>.Reception) -> String {
        switch reception {
        case .answer(let waiter, .success(let value), _, let isLast): "\(waiter): \(value.text ?? "?")\(isLast ? " last" : "")"
        case .answer(let waiter, .failure(let error), _, let isLast): "\(waiter): \(error)\(isLast ? " last" : "")"
        case .late: "late"
        case .outOfBand: "push"
        case .unsolicited: "unsolicited"
        }
    }

    @Test("replies go to the callers in the order of the commands; what the server says unasked goes to nobody")
    func order() {
        var state = state()
        for caller in 1...3 { #expect(state.submit(caller, now: Self.at(0), timeout: .milliseconds(100)) == .accepted) }
        #expect(said(state.received(.simple("a"), now: Self.at(1))) == "1: a")
        #expect(said(state.received(.push([]), now: Self.at(1))) == "push")
        #expect(said(state.received(.error(RedisServerError(message: "OOM no")), now: Self.at(2))) == "2: the server answered OOM")
        #expect(said(state.received(.simple("c"), now: Self.at(3))) == "3: c")
        #expect(state.inFlight == 0)
        #expect(said(state.received(.simple("d"), now: Self.at(3))) == "unsolicited")
    }

    @Test("who timed out keeps the place: the late reply is dropped, the next goes to the next")
    func timeOut() {
        var state = state()
        _ = state.submit(1, now: Self.at(0), timeout: .milliseconds(100))
        _ = state.submit(2, now: Self.at(50), timeout: .milliseconds(100))
        let early = state.look(now: Self.at(99))
        #expect(early.timedOut.isEmpty && early.next == Self.at(100))
        let first = state.look(now: Self.at(100))
        #expect(first.timedOut == [1] && first.next == Self.at(150) && !first.isDead)
        #expect(state.inFlight == 2)
        #expect(said(state.received(.simple("of 1"), now: Self.at(120))) == "late")
        #expect(said(state.received(.simple("of 2"), now: Self.at(121))) == "2: of 2")
        #expect(state.look(now: Self.at(200)).next == nil)
    }

    @Test("time-outs of different lengths each end when they should")
    func differentTimeOuts() {
        var state = state()
        _ = state.submit(1, now: Self.at(0), timeout: .milliseconds(500))
        _ = state.submit(2, now: Self.at(0), timeout: .milliseconds(100))
        let lookout = state.look(now: Self.at(100))
        #expect(lookout.timedOut == [2] && lookout.next == Self.at(500))
        #expect(said(state.received(.simple("of 1"), now: Self.at(110))) == "1: of 1")
        #expect(said(state.received(.simple("of 2"), now: Self.at(110))) == "late")
    }

    @Test("beyond the bound nothing is taken, and commands that timed out count until their reply has come")
    func bound() {
        var state = state(maximumInFlight: 2)
        _ = state.submit(1, now: Self.at(0), timeout: .milliseconds(1))
        _ = state.submit(2, now: Self.at(0), timeout: .milliseconds(1))
        #expect(state.submit(3, now: Self.at(0), timeout: .milliseconds(1)) == .refused(.tooManyInFlight))
        #expect(state.look(now: Self.at(5)).timedOut == [1, 2])
        #expect(state.submit(3, now: Self.at(5), timeout: .milliseconds(1)) == .refused(.tooManyInFlight))
        _ = state.received(.simple("of 1"), now: Self.at(6))
        #expect(state.submit(3, now: Self.at(6), timeout: .milliseconds(1)) == .accepted)
    }

    @Test("a server that has been silent for too long is dead, one that answers is not")
    func silence() {
        var state = state()
        _ = state.submit(1, now: Self.at(0), timeout: .milliseconds(100))
        #expect(state.look(now: Self.at(100)).next == Self.at(1_000))
        #expect(!state.look(now: Self.at(999)).isDead)
        #expect(state.look(now: Self.at(1_000)).isDead)
        _ = state.received(.simple("of 1"), now: Self.at(1_000))
        #expect(!state.look(now: Self.at(1_001)).isDead)
    }

    @Test("an end fails those who wait, once, and takes no more; a server that became a replica is left")
    func end() {
        var state = state()
        for caller in 1...3 { _ = state.submit(caller, now: Self.at(0), timeout: .milliseconds(100 * Int64(caller))) }
        #expect(state.look(now: Self.at(150)).timedOut == [1])
        #expect(state.close(.connectionLost) == [2, 3])
        #expect(state.close(.connectionLost).isEmpty)
        #expect(state.submit(4, now: Self.at(160), timeout: .milliseconds(100)) == .refused(.notConnected))
        #expect(state.look(now: Self.at(9_999)).timedOut.isEmpty)
        var other = self.state()
        _ = other.submit(1, now: Self.at(0), timeout: .milliseconds(100))
        #expect(said(other.received(.error(RedisServerError(message: "READONLY x")), now: Self.at(1))) == "1: the server answered READONLY last")
    }
}
