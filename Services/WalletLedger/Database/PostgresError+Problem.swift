import Contracts
import Postgres

/// The one mapper of the ledger's errors; everything else is unknown.
func ledgerProblem(for error: any Error) -> Problem? {
    if let refusal = error as? HistoryRefusal { return Problem(refusal) }
    guard let error = error as? PostgresError else { return nil }
    switch error.kind {
    case .connectFailed, .connectionLost, .poolTimeout, .poolExhausted, .poolClosed, .cancelled:
        return Problem(.unavailable, retryAfterSeconds: 1)
    case .commitOutcomeUnknown: return Problem(.outcomeUnknown, retryAfterSeconds: 1)
    case .server where error.isTimeout || error.isRetryable: return Problem(.unavailable, retryAfterSeconds: 1)
    case .server, .transactionAborted, .decoding, .protocolViolation, .invalidConfiguration: return nil
    }
}
