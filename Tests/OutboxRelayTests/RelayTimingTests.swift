import Testing

@testable import OutboxRelay

@Suite("Relay: its clocks")
struct RelayTimingTests {
    private let timing = RelayTiming()

    @Test("a few events are followed up soon, a stream is gathered, and a backlog is not waited for")
    func pauses() {
        #expect(timing.pause(afterFinding: 0) == timing.poll)
        #expect(timing.pause(afterFinding: 4) == timing.poll + timing.gathering * 4)
        #expect(timing.pause(afterFinding: 4) < .milliseconds(10))
        #expect(timing.pause(afterFinding: RelayLimits.chunk - 1) == timing.longestGathering)
        #expect(timing.pause(afterFinding: RelayLimits.chunk) == timing.poll)
    }

    @Test("a relay that polls slowly anyway does not wait longer for a stream")
    func slow() {
        var slow = timing
        slow.poll = .milliseconds(80)
        #expect(slow.pause(afterFinding: 100) == .milliseconds(80))
    }
}
