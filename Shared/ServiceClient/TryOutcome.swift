/// What became of one try.
package enum TryOutcome: Sendable {
    case answered(ServiceResponse)
    case unreachable(reason: String)
    case lost(reason: String)
    case timedOut
    case tooLarge
    case cancelled

    /// Whether the callee may have seen the request.
    var mayHaveArrived: Bool {
        switch self {
        case .unreachable: false
        case .answered, .lost, .timedOut, .tooLarge, .cancelled: true
        }
    }
}
