/// What a run saw, as plain values.
package struct LoadOutcome: Sendable {
    /// How many answers came with each status.
    package var statuses: [Int: Int] = [:]
    /// From the write of a request (of several, the first), or from when it was due, to the complete answer, in nanoseconds; of work that was
    /// done only.
    package var latencies: [UInt64] = []
    /// The transfer ids that answers with the expected status named, each ``AnswerScanner/transferIDBytes`` long, one after another.
    package var transferIDs: [UInt8] = []
    /// The refresh tokens that are good now, the one whose turn is next first.
    package var refreshTokens: [String] = []
    /// Some of the access tokens that were given.
    package var accessTokens: [String] = []
    /// From the first request to the last answer, in nanoseconds.
    package var elapsedNanoseconds: UInt64 = 0
    /// What this process spent of the processors meanwhile, in nanoseconds.
    package var processorNanoseconds: UInt64 = 0
    /// Connections that ended, or answered in a way that is no HTTP, before the run was over.
    package var connectionsLost = 0
    /// Requests that had no answer when the wait for the last ones was given up.
    package var unanswered = 0
    /// Whether the run ended early because every signed request had been sent.
    package var requestsUsedUp = false

    package init() {}

    /// Whether nothing was lost on the way.
    package var isComplete: Bool { connectionsLost == 0 && unanswered == 0 }

    private static let nanosecondsPerSecond = 1_000_000_000.0
    private static let nanosecondsPerMicrosecond = 1_000.0

    /// Members of a line of JSON: rate, latencies, processor time, and what went wrong.
    ///
    /// - Parameters:
    ///   - unit: What is counted.
    ///   - measured: What other processes used of the processors, in nanoseconds.
    func members(of count: Int, per unit: String, measured: [UInt64]) -> String {
        let divisor = Double(max(1, count))
        let seconds = Double(elapsedNanoseconds) / Self.nanosecondsPerSecond
        let latency = LatencySummary(nanoseconds: latencies)
        let own = Double(processorNanoseconds) / Self.nanosecondsPerMicrosecond
        let counts = statuses.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",")
        let others = measured.map { "\(Self.rounded(Double($0) / Self.nanosecondsPerMicrosecond / divisor))" }.joined(separator: ",")
        return """
            "seconds":\(Self.rounded(seconds)),"per_second":\(Self.rounded(seconds == 0 ? 0 : Double(count) / seconds)),\
            "p50_ms":\(Self.rounded(latency.p50Milliseconds)),"p99_ms":\(Self.rounded(latency.p99Milliseconds)),\
            "cpu_us_per_\(unit)":\(Self.rounded(own / divisor)),"measured_us_per_\(unit)":[\(others)],"statuses":{\(counts)},\
            "connections_lost":\(connectionsLost),"unanswered":\(unanswered),"requests_used_up":\(requestsUsedUp)
            """
    }

    private static func rounded(_ value: Double) -> Double { (value * 1_000).rounded() / 1_000 }

    /// The written ids, in the order of their answers.
    package var writtenTransferIDs: [String] {
        stride(from: 0, to: transferIDs.count, by: AnswerScanner.transferIDBytes).map {
            String(decoding: transferIDs[$0..<($0 + AnswerScanner.transferIDBytes)], as: UTF8.self)
        }
    }
}
