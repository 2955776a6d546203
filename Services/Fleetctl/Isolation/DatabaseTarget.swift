package import Postgres

/// A process together with the database that its URL leads to.
package struct DatabaseTarget: Sendable {
    package let process: FleetProcess
    package let service: String
    package let configuration: PostgresConfiguration
    package let address: DatabaseAddress

    /// How long a server has to answer, where the URL does not say.
    static let connectTimeout: Duration = .seconds(3)

    /// The target of one variable of a process; nil when its URL isn't known.
    /// - Throws: `PostgresError`, naming no value, when it is no URL that a process of the fleet takes.
    init?(_ process: FleetProcess, _ variable: FleetVariable) throws(PostgresError) {
        guard let service = process.service, let url = variable.value else { return nil }
        // Put together by the cluster from other variables, so not known here.
        guard !url.contains("$(") else { return nil }
        self.process = process
        self.service = service
        configuration = try PostgresConfiguration(
            url: url, applicationName: "fleetctl check-db-isolation", connectTimeout: Self.connectTimeout)
        address = DatabaseAddress(configuration)
    }

    /// The targets of all processes, and which URLs lead nowhere.
    static func all(of processes: [FleetProcess]) -> (targets: [DatabaseTarget], findings: [FleetFinding]) {
        var targets: [DatabaseTarget] = []
        var findings: [FleetFinding] = []
        for process in processes {
            for (name, variable) in process.databaseVariables {
                do throws(PostgresError) {
                    if let target = try DatabaseTarget(process, variable) { targets.append(target) }
                } catch {
                    findings.append(FleetFinding(.invalidURL, service: process.service, "\(process.place): \(name): \(error)"))
                }
            }
        }
        return (targets, findings)
    }
}
