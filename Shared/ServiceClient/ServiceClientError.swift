/// Why a call has no answer; its description is safe to log and names who was called.
package struct ServiceClientError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Kind: String, Sendable {
        /// No connection came about in any try: nothing was sent.
        case unreachable = "cannot reach"
        /// The connection broke before the answer was complete.
        case connectionLost = "lost the connection to"
        /// The last try took longer than a try may.
        case timedOut = "no answer in time from"
        /// The caller's deadline passed.
        case deadlineExceeded = "the deadline passed while calling"
        /// The answer is larger than any of ours.
        case responseTooLarge = "too large an answer from"
        /// No valid signature can be made.
        case unsignable = "cannot sign a request to"
        /// The bulkhead is full, and the call's turn did not come in time: nothing was sent.
        case tooManyCalls = "too many calls under way to"
        /// The callee failed lately and is left alone for a while: nothing was sent.
        case circuitOpen = "the circuit is open to"
        /// The caller went away.
        case cancelled = "gave up calling"
    }

    package let kind: Kind
    package let callee: String
    package let address: ServiceAddress
    /// How often the request was tried.
    package let tries: Int
    /// Whether a try may have reached the callee, so that what it asked for may have happened.
    package let mayHaveTakenEffect: Bool
    /// More about the cause, in few words; nil when the kind says all.
    package let reason: String?

    package var description: String {
        let cause = reason.map { ": \($0)" } ?? ""
        return "\(kind.rawValue) \(callee) at \(address)\(tries > 1 ? " (\(tries) tries)" : "")\(cause)"
    }
}
