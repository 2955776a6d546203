/// What `fleetctl load` prints: one line of JSON.
package struct LoadReport: Equatable, Sendable, CustomStringConvertible {
    private static let nanosecondsPerSecond = 1_000_000_000.0
    private static let nanosecondsPerMicrosecond = 1_000.0
    private static let written = [200, 201]

    /// Transfers that complete answers with the expected status named.
    package let transfers: Int
    private let expected: Int
    /// How many different transfers were found again by their ids.
    package let found: Int
    private let seconds: Double
    private let latency: LatencySummary
    private let processorMicroseconds: Double
    private let statuses: [Int: Int]
    private let connectionsLost: Int
    private let unanswered: Int
    private let requestsUsedUp: Bool
    private let measured: [Double]

    /// - Parameters:
    ///   - transfersPerRequest: How many transfers each answer must name.
    ///   - measuredNanoseconds: What other processes used of the processors during the run, in the order in which they were named.
    package init(_ outcome: LoadOutcome, found: Int, transfersPerRequest: Int = 1, measuredNanoseconds: [UInt64] = []) {
        transfers = outcome.transferIDs.count / AnswerScanner.transferIDBytes
        expected = Self.written.reduce(0) { $0 + (outcome.statuses[$1] ?? 0) } * transfersPerRequest
        self.found = found
        seconds = Double(outcome.elapsedNanoseconds) / Self.nanosecondsPerSecond
        latency = LatencySummary(nanoseconds: outcome.latencies)
        processorMicroseconds = Double(outcome.processorNanoseconds) / Self.nanosecondsPerMicrosecond
        statuses = outcome.statuses
        connectionsLost = outcome.connectionsLost
        unanswered = outcome.unanswered
        requestsUsedUp = outcome.requestsUsedUp
        measured = measuredNanoseconds.map { Double($0) / Self.nanosecondsPerMicrosecond }
    }

    /// Whether transfers were made, every one was found again, and nothing was lost on the way.
    package var isSound: Bool {
        transfers > 0 && transfers == expected && found == transfers && connectionsLost == 0 && unanswered == 0
    }

    package var description: String {
        let divisor = Double(max(1, transfers))
        let perSecond = seconds == 0 ? 0 : Double(transfers) / seconds
        let counts = statuses.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",")
        let others = measured.map { "\(Self.rounded($0 / divisor))" }.joined(separator: ",")
        return """
            {"transfers":\(transfers),"found":\(found),"seconds":\(Self.rounded(seconds)),"per_second":\(Self.rounded(perSecond)),\
            "p50_ms":\(Self.rounded(latency.p50Milliseconds)),"p99_ms":\(Self.rounded(latency.p99Milliseconds)),\
            "cpu_us_per_transfer":\(Self.rounded(processorMicroseconds / divisor)),\
            "measured_us_per_transfer":[\(others)],"statuses":{\(counts)},"connections_lost":\(connectionsLost),\
            "unanswered":\(unanswered),"requests_used_up":\(requestsUsedUp)}
            """
    }

    private static func rounded(_ value: Double) -> Double {
        (value * 1_000).rounded() / 1_000
    }
}
