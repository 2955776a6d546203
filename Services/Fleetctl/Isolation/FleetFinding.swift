package import Postgres

/// One violation, as `fleetctl check-db-isolation` names it. Its text holds no password and no whole URL.
package struct FleetFinding: Sendable, Hashable {
    package enum Code: Sendable, Hashable {
        /// What a process of the fleet would refuse to start for.
        case process(IsolationFinding.Code)
        case invalidURL
        case sameDatabase
        case sharedRole
        case sharedSecret
        case ownerRoleInServe
        case ownerSecretInDeployment
        case plainTextURL
        case isolationNotStrict
        case connectedElsewhere

        /// The stable name, for scripts.
        package var name: String {
            switch self {
            case .process(let code): code.rawValue
            case .invalidURL: "invalid_url"
            case .sameDatabase: "same_database"
            case .sharedRole: "shared_role"
            case .sharedSecret: "shared_secret"
            case .ownerRoleInServe: "owner_role_in_serve"
            case .ownerSecretInDeployment: "owner_secret_in_deployment"
            case .plainTextURL: "plain_text_url"
            case .isolationNotStrict: "isolation_not_strict"
            case .connectedElsewhere: "connected_elsewhere"
            }
        }
    }

    package let code: Code
    /// The service at fault; nil for what is no service of the fleet.
    package let service: String?
    package let other: String?
    package let detail: String

    package init(_ code: Code, service: String?, other: String? = nil, _ detail: String) {
        self.code = code
        self.service = service
        self.other = other
        self.detail = detail
    }

    init(_ finding: IsolationFinding, of process: FleetProcess) {
        self.init(.process(finding.code), service: process.service, other: finding.other, "\(process.place): \(finding.text)")
    }
}

extension [FleetFinding] {
    /// Each finding once, in the order in which they came.
    func withoutRepetitions() -> [FleetFinding] {
        var seen: Set<FleetFinding> = []
        return filter { seen.insert($0).inserted }
    }
}
