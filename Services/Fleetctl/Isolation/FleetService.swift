import Fleet

/// The names of the fleet's executables, as they appear in commands, images and the names of workloads.
enum FleetNames {
    /// Those of planned services too.
    static let executables: Set<String> = Set(Fleet.databaseVariables.keys).union([Fleet.relay, Fleet.operators])
    /// Every service's variable, replicas' included.
    static let variables: Set<String> = Set(Fleet.databaseVariables.values).union(Fleet.replicaVariables.values)

    static func executable(_ name: String?) -> String? { name.flatMap { executables.contains($0) ? $0 : nil } }

    /// The executable with whose name another begins: `wallet-ledger-migrate`.
    static func prefix(of name: String) -> String? {
        executables.filter { name == $0 || name.hasPrefix("\($0)-") }.max { $0.count < $1.count }
    }

    /// The service with whose name another ends: `outbox-relay-wallet-ledger`.
    static func suffix(of name: String) -> String? {
        Fleet.databaseVariables.keys.filter { name.hasSuffix("-\($0)") }.max { $0.count < $1.count }
    }
}
