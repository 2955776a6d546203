import Fleetctl
import Foundation
import Testing

@Suite("Load: what a process has used")
struct LoadProcessorTimeTests {
    private static let stat = "42 (a (bad) name) S 1 42 42 0 -1 4194560 100 200 0 0 7 11 13 17 20 0 1 0 123 456"

    @Test("the times stand after the name, whatever the name is")
    func fields() {
        #expect(ProcessorTime.ticks(Self.stat, fields: ProcessorTime.userAndSystem) == 18)
        #expect(ProcessorTime.ticks(Self.stat, fields: ProcessorTime.userSystemAndWaitedFor) == 48)
        #expect(ProcessorTime.ticks("", fields: ProcessorTime.userAndSystem) == 0)
        #expect(ProcessorTime.ticks("42 (name) S 1", fields: ProcessorTime.userAndSystem) == 0)
    }

    @Test("a process that works uses time; one that is not there uses none")
    func working() {
        let process = Int(ProcessInfo.processInfo.processIdentifier)
        let before = ProcessorTime.used(byTreeOf: process)
        var sum: UInt64 = 0
        let end = Date().addingTimeInterval(30)
        while ProcessorTime.used(byTreeOf: process) == before, Date() < end {
            for value in 0..<100_000 as Range<UInt64> { sum = sum &* 31 &+ value }
        }
        #expect(ProcessorTime.used(byTreeOf: process) > before, "\(sum)")
        #expect(ProcessorTime.used(byTreeOf: 0) == 0)
    }
}
