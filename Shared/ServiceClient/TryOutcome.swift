/// What became of one try.
package enum TryOutcome: Sendable {
    case answered(ServiceResponse)
    case unreachable(reason: String)
    case lost(reason: String)
    /// A connection that had been used before was closed as it was used again, before the first byte of an answer.
    case stale(reason: String)
    case timedOut
    /// The caller's deadline passed, and had left the try less than half of the time that a try may take.
    case hurried
    case tooLarge
    case cancelled

    /// Whether the callee may have seen the request.
    var mayHaveArrived: Bool {
        switch self {
        case .unreachable: false
        case .answered, .lost, .stale, .timedOut, .hurried, .tooLarge, .cancelled: true
        }
    }

    /// What it says about the callee.
    var verdict: CircuitBreaker.Outcome {
        switch self {
        case .answered(let response): response.status < 400 ? .success : response.status < 500 ? .clientFault : .serverFault
        // It answered, more than we read.
        case .tooLarge: .clientFault
        case .unreachable, .lost, .timedOut: .transportFault
        // Whoever leaves no time for an answer learns nothing about the callee.
        case .stale, .hurried, .cancelled: .excluded
        }
    }
}
