/// What a run saw, as plain values.
package struct LoadOutcome: Sendable {
    /// How many answers came with each status.
    package var statuses: [Int: Int] = [:]
    /// From the write of a request to its complete answer, in nanoseconds; of answers with the expected status only.
    package var latencies: [UInt64] = []
    /// The transfer ids that answers with the expected status named, each ``AnswerScanner/transferIDBytes`` long, one after another.
    package var transferIDs: [UInt8] = []
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

    /// The written ids, in the order of their answers.
    package var writtenTransferIDs: [String] {
        stride(from: 0, to: transferIDs.count, by: AnswerScanner.transferIDBytes).map {
            String(decoding: transferIDs[$0..<($0 + AnswerScanner.transferIDBytes)], as: UTF8.self)
        }
    }
}
