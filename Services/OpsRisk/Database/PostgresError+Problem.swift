import Contracts
import Postgres
import ServiceDatabase

/// The one mapper of the service's errors; everything else is unknown.
func riskProblem(for error: any Error) -> Problem? {
    (error as? PostgresError).flatMap { Problem($0) }
}
