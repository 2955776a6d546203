import Outages
import Testing

@Suite("What is logged of an outage")
struct OutageLogTests {
    private static let start = ContinuousClock.now

    @Test("five minutes with ten failures a second are five lines, which account for every failure")
    func lines() {
        var log = OutageLog()
        var lines: [Int] = []
        for tenth in 0..<3_000 {
            if let count = log.failed("refused", at: Self.start + .milliseconds(tenth * 100)) { lines.append(count) }
        }
        #expect(lines == [1, 600, 600, 600, 600])
        #expect(log.succeeded() == 3_000)
        #expect(log.succeeded() == nil)
    }

    @Test("another reason is a line at once, and the reasons in turn are not; the next outage begins anew")
    func reasons() {
        var log = OutageLog()
        #expect(log.succeeded() == nil)
        #expect(log.failed("refused", at: Self.start) == 1)
        #expect(log.failed("refused", at: Self.start) == nil)
        #expect(log.failed("timed out", at: Self.start) == 2)
        for _ in 0..<100 {
            #expect(log.failed("refused", at: Self.start + .seconds(1)) == nil)
            #expect(log.failed("timed out", at: Self.start + .seconds(1)) == nil)
        }
        #expect(log.failed("refused", at: Self.start + OutageLog.interval) == 201)
        #expect(log.succeeded() == 204)
        #expect(log.failed("refused", at: Self.start + OutageLog.interval) == 1)
    }

    @Test("reasons that never repeat don't each get a line")
    func manyReasons() {
        var log = OutageLog()
        let lines = (0..<1_000).count { log.failed("reason \($0)", at: Self.start) != nil }
        #expect(lines == 8)
    }
}
