internal import Fleet
package import Postgres

extension DatabaseVariables {
    /// Those of the fleet.
    package static let fleet = DatabaseVariables(own: Fleet.databaseVariables, replicas: Fleet.replicaVariables)
}
