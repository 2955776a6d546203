import Postgres
import ServiceDatabase

/// What is wrong with the variables of one process.
struct VariableFindings {
    static let modeVariable = "DATABASE_ISOLATION_MODE"
    static let environmentVariable = "FLORIN_ENVIRONMENT"

    let process: FleetProcess

    var all: [FleetFinding] { presence + plainText + mode }

    /// The findings of the process's own start, save those that were allowed by name or cannot be known from here.
    private var presence: [FleetFinding] {
        guard let service = process.service else { return presenceWithoutService }
        // Only whether a variable is empty matters here, so one that is not known counts as set.
        let environment = process.variables.mapValues { $0.value ?? "set" }
        return DatabaseIsolation(service: service).findings(environment: environment, variables: .fleet).filter { finding in
            switch finding.code {
            case .ownVariableMissing: process.isComplete && process.databaseVariable == nil
            case .foreignVariable: finding.other != process.sharesWith || process.sharesWith == nil
            default: true
            }
        }
        .map { FleetFinding($0, of: process) }
    }

    private var presenceWithoutService: [FleetFinding] {
        process.variables.keys.sorted().compactMap { name in
            if name == "DATABASE_URL" {
                return FleetFinding(
                    .process(.genericVariable), service: nil, "\(process.place): \(name) is set; each service reads its own variable only")
            }
            if DatabaseIsolation.libpqVariables.contains(name) {
                return FleetFinding(.process(.connectionVariable), service: nil, "\(process.place): \(name) is set")
            }
            guard let owner = DatabaseVariables.fleet.owner(of: name) else { return nil }
            return FleetFinding(
                .process(.foreignVariable), service: nil, other: owner, "\(process.place): \(name) is set, which belongs to \(owner)")
        }
    }

    private var plainText: [FleetFinding] {
        process.variables.keys.sorted().compactMap { name in
            guard let variable = process.variables[name], variable.origin == .manifest, let value = variable.value,
                FleetVariable.isDatabaseURL(value)
            else { return nil }
            return FleetFinding(
                .plainTextURL, service: process.service, "\(process.place): \(name) stands in the manifest instead of a reference to a Secret")
        }
    }

    /// Every process takes an environment that nobody names for production.
    private var mode: [FleetFinding] {
        guard process.service != nil, let mode = process.variables[Self.modeVariable]?.value,
            mode != DatabaseIsolation.Mode.strict.rawValue
        else { return [] }
        let environment = process.variables[Self.environmentVariable]
        guard environment == nil || environment?.value == "production" else { return [] }
        return [
            FleetFinding(
                .isolationNotStrict, service: process.service,
                "\(process.place): \(Self.modeVariable) is \(mode) in production, where it must be strict")
        ]
    }
}
