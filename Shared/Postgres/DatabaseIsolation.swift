/// The rule "one database per service", as far as a process can check it about itself.
package struct DatabaseIsolation: Sendable, Hashable {
    /// Whether findings stop the start or are only logged.
    package enum Mode: String, Sendable, CaseIterable {
        case strict, warn
    }

    /// What the process is going to do, which decides which of the service's roles is its own.
    package enum Phase: String, Sendable {
        case migrate, serve
        /// Works on the outbox alone.
        case relay
    }

    /// Such as `wallet-ledger`.
    package let service: String
    package let roles: ServiceRoles

    /// - Parameter rolesOf: The service whose roles come to the database, where it is not the one that it belongs to.
    package init(service: String, rolesOf: String? = nil) {
        self.service = service
        roles = ServiceRoles(service: rolesOf ?? service)
    }

    /// The variables by which libpq can be pointed elsewhere.
    package static let libpqVariables: Set<String> = [
        "PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGUSER", "PGPASSWORD", "PGPASSFILE", "PGREQUIREAUTH", "PGCHANNELBINDING",
        "PGSERVICE", "PGSERVICEFILE", "PGOPTIONS", "PGAPPNAME", "PGSSLMODE", "PGREQUIRESSL", "PGSSLCOMPRESSION", "PGSSLCERT", "PGSSLKEY",
        "PGSSLROOTCERT", "PGSSLCRL", "PGSSLCRLDIR", "PGSSLSNI", "PGREQUIREPEER", "PGSSLMINPROTOCOLVERSION", "PGSSLMAXPROTOCOLVERSION",
        "PGGSSENCMODE", "PGKRBSRVNAME", "PGGSSLIB", "PGCONNECT_TIMEOUT", "PGCLIENTENCODING", "PGTARGETSESSIONATTRS",
        "PGLOADBALANCEHOSTS", "PGTZ", "PGDATESTYLE", "PGGEQO", "PGSYSCONFDIR", "PGLOCALEDIR",
    ]

    /// What is wrong with the variables of a process; pure.
    package func findings(environment: [String: String], variables: DatabaseVariables) -> [IsolationFinding] {
        var findings: [IsolationFinding] = []
        let own = variables.own[service]
        if let own, (environment[own] ?? "").isEmpty {
            findings.append(IsolationFinding(.ownVariableMissing, "\(own) is not set"))
        } else if own == nil {
            findings.append(IsolationFinding(.ownVariableMissing, "\(service) has no database variable"))
        }
        for name in environment.keys.sorted() where name != own && name != variables.replicas[service] {
            if name == "DATABASE_URL" {
                findings.append(IsolationFinding(.genericVariable, "DATABASE_URL is set; \(service) reads \(own ?? "none")"))
            } else if let other = variables.owner(of: name) {
                findings.append(IsolationFinding(.foreignVariable, "\(name) is set, which belongs to \(other)", other: other))
            } else if Self.libpqVariables.contains(name) {
                findings.append(IsolationFinding(.connectionVariable, "\(name) is set"))
            }
        }
        return findings
    }
}

/// The three roles of a service's database.
package struct ServiceRoles: Sendable, Hashable {
    /// `migrate` only.
    package let owner: String
    /// `serve` and the CLIs.
    package let serving: String
    /// Outbox and leases only.
    package let relay: String

    package init(service: String) {
        let name = service.replacing("-", with: "_")
        owner = "\(name)_owner"
        serving = name
        relay = "\(name)_relay"
    }

    package var all: [String] { [owner, serving, relay] }
}
