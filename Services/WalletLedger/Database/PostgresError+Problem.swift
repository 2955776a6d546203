import Contracts
import Postgres
import ServiceDatabase

/// The one mapper of the ledger's errors; everything else is unknown.
func ledgerProblem(for error: any Error) -> Problem? {
    if let refusal = error as? HistoryRefusal { return Problem(refusal) }
    if error is ClockDisagreement { return Problem(.unavailable, retryAfterSeconds: 1) }
    return (error as? PostgresError).flatMap { Problem($0) }
}
