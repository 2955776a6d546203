import Contracts
import Postgres
import ServiceDatabase

/// The one mapper of the service's errors; everything else is unknown.
func identityProblem(for error: any Error) -> Problem? {
    switch error {
    case let refusal as AccountRefusal: Problem(refusal)
    case let refusal as CredentialRefusal: Problem(refusal)
    case let refusal as FactorRefusal: Problem(refusal)
    case let error as PostgresError: Problem(error)
    case is NoSigningKey: Problem(.unavailable)
    default: nil
    }
}
