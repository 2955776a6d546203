import Fleet
import Postgres

/// A process of the fleet and the variables that it gets, wherever they were read from.
///
/// A line of an `.env` file that holds the URLs of several services counts as a process too: it stands for the one that will read it.
package struct FleetProcess: Sendable, Hashable {
    /// What the process does, which decides which of a service's three roles it should have.
    package enum Kind: String, Sendable, Hashable {
        case serve, migrate, relay

        var phase: DatabaseIsolation.Phase {
            switch self {
            case .serve: .serve
            case .migrate: .migrate
            case .relay: .relay
            }
        }
    }

    /// The service whose database the process uses, the source for an outbox-relay; nil for what is no service of the fleet.
    package let service: String?
    package let kind: Kind
    /// Where it was found, for people: `Deployment wallet-ledger, container serve`.
    package let place: String
    package let variables: [String: FleetVariable]
    /// Whether all its variables were seen, so that one that is not among them is missing.
    package let isComplete: Bool
    /// Whether a cluster keeps it running (a Deployment), rather than letting it end (a Job).
    package let isLongRunning: Bool
    /// Secrets within its reach that no database variable names: taken whole, or mounted.
    package let otherSecrets: Set<SecretReference>

    package init(
        service: String?, kind: Kind = .serve, place: String, variables: [String: FleetVariable], isComplete: Bool = true,
        isLongRunning: Bool = false, otherSecrets: Set<SecretReference> = []
    ) {
        self.service = service
        self.kind = kind
        self.place = place
        self.variables = variables
        self.isComplete = isComplete
        self.isLongRunning = isLongRunning
        self.otherSecrets = otherSecrets
    }
}

extension FleetProcess {
    static let exporter = "audit-export"
    static let sharingVariable = "AUDIT_EXPORT_DATABASE_SHARED_WITH"
    static let shareable = "backoffice"

    /// The service with which this one says that it shares a database; only audit-export may, and only with backoffice.
    package var sharesWith: String? {
        service == Self.exporter && variables[Self.sharingVariable]?.value == Self.shareable ? Self.shareable : nil
    }

    /// The service whose stamp the database has to carry.
    package var stampedService: String? { sharesWith ?? service }

    /// The variable from which the process takes the URL of its database.
    package var databaseVariable: (name: String, variable: FleetVariable)? {
        for service in [service, sharesWith] {
            guard let service, let name = Fleet.databaseVariables[service], let variable = variables[name], !variable.isEmpty else {
                continue
            }
            return (name, variable)
        }
        return nil
    }

    /// The same and that of a read replica, where it has one.
    package var databaseVariables: [(name: String, variable: FleetVariable)] {
        let replica = service.flatMap { Fleet.replicaVariables[$0] }.flatMap { name in
            variables[name].flatMap { $0.isEmpty ? nil : (name: name, variable: $0) }
        }
        return [databaseVariable, replica].compactMap(\.self)
    }

    /// Whether the two may have one database: they are of one service, or one of them has said so.
    func mayShareDatabase(with other: FleetProcess) -> Bool {
        service == other.service || sharesWith == other.service || other.sharesWith == service
    }
}
