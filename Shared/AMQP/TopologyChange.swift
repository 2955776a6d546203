/// What came of making a topology.
package struct TopologyChange: Sendable, Hashable {
    /// The exchanges and queues that were missing and are there now. Of bindings the broker doesn't say whether they were.
    package internal(set) var made: [TopologyFinding]
    /// What still differs: it was there in another shape, or the broker refused it.
    package internal(set) var remaining: [TopologyFinding]

    mutating func note(_ subject: TopologyFinding.Subject, _ name: String, _ refusal: TopologyFinding?) {
        if let refusal {
            remaining.append(refusal)
        } else {
            made.append(TopologyFinding(missing: subject, name))
        }
    }
}

extension [TopologyFinding] {
    func contains(missing subject: TopologyFinding.Subject, _ name: String) -> Bool {
        contains(TopologyFinding(missing: subject, name))
    }
}
