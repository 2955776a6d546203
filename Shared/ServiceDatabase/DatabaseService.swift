internal import Postgres
package import ServiceRuntime

/// The configuration of a service that has a database of its own.
package protocol DatabaseServiceConfiguration: ServiceConfiguration {
    var database: ServiceDatabase { get }
}

/// A service that has a database of its own, and no other: its variables are looked at before anything is read from them.
package protocol DatabaseService: FlorinService where Settings: DatabaseServiceConfiguration {
    /// Whose database the process uses.
    ///
    /// - Throws: ``InvalidConfiguration`` when the environment does not say it.
    static func databaseOwner(_ environment: [String: String]) throws(InvalidConfiguration) -> String
}

extension DatabaseService {
    package static func databaseOwner(_: [String: String]) -> String { name }

    /// The part of database isolation that needs no database.
    package static func inspect(
        _ environment: [String: String], reportError: @Sendable (_ line: String) -> Void
    ) throws(InvalidConfiguration) {
        let isolation = DatabaseIsolation(service: try databaseOwner(environment))
        let findings = isolation.findings(environment: environment, variables: .fleet)
        guard !findings.isEmpty else { return }
        let key = DatabaseSchema.isolation.key
        let mode = environment[key].flatMap(DatabaseIsolation.Mode.init(rawValue:)) ?? .strict
        let problem = ConfigurationProblem(key: key, explanation: "=\(mode.rawValue): \(findings.map(\.description).joined(separator: "; "))")
        guard mode == .warn else { throw InvalidConfiguration(problem) }
        reportError("\(name): \(problem)")
    }
}
