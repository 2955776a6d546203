import Contracts
import Postgres
import ServiceDatabase

/// What is told of the errors of accounts and credentials; nil for all others.
func accountProblem(for error: any Error) -> Problem? {
    switch error {
    case let refusal as AccountRefusal: Problem(refusal)
    case let refusal as CredentialRefusal: Problem(refusal)
    case let error as PostgresError: Problem(error)
    default: nil
    }
}
