/// What `fleetctl load ledger` prints: one line of JSON.
package struct LoadReport: Sendable, CustomStringConvertible {
    private static let written = [200, 201]

    private let outcome: LoadOutcome
    private let measured: [UInt64]
    private let expected: Int
    /// How many different transfers were found again by their ids.
    private let found: Int

    /// - Parameters:
    ///   - transfersPerRequest: How many transfers each answer must name.
    ///   - measuredNanoseconds: What other processes used of the processors during the run, in the order in which they were named.
    package init(_ outcome: LoadOutcome, found: Int, transfersPerRequest: Int = 1, measuredNanoseconds: [UInt64] = []) {
        self.outcome = outcome
        expected = Self.written.reduce(0) { $0 + (outcome.statuses[$1] ?? 0) } * transfersPerRequest
        self.found = found
        measured = measuredNanoseconds
    }

    /// Transfers that complete answers with the expected status named.
    private var transfers: Int { outcome.transferIDs.count / AnswerScanner.transferIDBytes }

    /// Whether transfers were made, every one was found again, and nothing was lost on the way.
    package var isSound: Bool {
        transfers > 0 && transfers == expected && found == transfers && outcome.isComplete
    }

    package var description: String {
        "{\"transfers\":\(transfers),\"found\":\(found),\(outcome.members(of: transfers, per: "transfer", measured: measured))}"
    }
}
