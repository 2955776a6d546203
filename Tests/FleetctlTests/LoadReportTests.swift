import Fleetctl
import Testing

@Suite("Load: what is reported")
struct LoadReportTests {
    @Test(
        "a percentile is the nearest rank",
        arguments: [
            ([], 50, 0), ([7], 50, 7), ([7], 99, 7), ([1, 2], 50, 1), ([1, 2], 99, 2), (Array(1...100), 50, 50), (Array(1...100), 99, 99),
            (Array(1...101), 99, 100), (Array(1...200), 99, 198),
        ] as [([UInt64], Int, UInt64)])
    func percentiles(values: [UInt64], percent: Int, expected: UInt64) {
        #expect(LatencySummary.percentile(percent, ofSorted: values) == expected)
    }

    @Test("latencies come in any order and are shown in milliseconds")
    func summary() {
        let summary = LatencySummary(nanoseconds: (1...100).reversed().map { $0 * 1_000_000 })
        #expect(summary.p50Milliseconds == 50)
        #expect(summary.p99Milliseconds == 99)
    }

    private var outcome: LoadOutcome {
        var outcome = LoadOutcome()
        outcome.statuses = [201: 2, 503: 1]
        outcome.transferIDs = Array(repeating: UInt8(ascii: "x"), count: 2 * AnswerScanner.transferIDBytes)
        outcome.latencies = [1_500_000, 2_500_000]
        outcome.elapsedNanoseconds = 500_000_000
        outcome.processorNanoseconds = 30_000
        return outcome
    }

    @Test("only 201 counts, in the total, the rate and the cost of one transfer")
    func counting() {
        #expect(
            LoadReport(outcome, found: 2, measuredNanoseconds: [260_000, 150_000]).description == """
                {"transfers":2,"found":2,"seconds":0.5,"per_second":4.0,"p50_ms":1.5,"p99_ms":2.5,"cpu_us_per_transfer":15.0,\
                "measured_us_per_transfer":[130.0,75.0],"statuses":{"201":2,"503":1},"connections_lost":0,"unanswered":0,"requests_used_up":false}
                """)
    }

    @Test("a run is sound only with transfers, all of them found, and nothing lost")
    func soundness() {
        var lost = outcome
        lost.connectionsLost = 1
        var unanswered = outcome
        unanswered.unanswered = 1
        #expect(LoadReport(outcome, found: 2).isSound)
        #expect(!LoadReport(outcome, found: 1).isSound)
        #expect(!LoadReport(lost, found: 2).isSound)
        #expect(!LoadReport(unanswered, found: 2).isSound)
        #expect(!LoadReport(LoadOutcome(), found: 0).isSound)
        // Each of the two answers would have had to name two transfers.
        #expect(!LoadReport(outcome, found: 2, transfersPerRequest: 2).isSound)
    }
}
