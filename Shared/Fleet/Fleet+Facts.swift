/// What follows from the table.
extension Fleet {
    /// All of the fleet's executables.
    package static let executables = services.map(\.name) + [relay, operators]

    /// Service → variable of its database, planned services included.
    package static let databaseVariables = planned.merging(
        services.compactMap { service in service.database.map { (service.name, $0.variable) } }, uniquingKeysWith: { $1 })

    /// Service → variable of its read replica, for those that may have one.
    package static let replicaVariables = Dictionary(
        uniqueKeysWithValues: services.compactMap { service in
            service.database?.replicaVariable.map { (service.name, $0) }
        })

    /// Who calls whom.
    package static let calls: [(caller: String, callee: String)] = services.flatMap { service in
        (service.api?.callers ?? []).map { (caller: $0, callee: service.name) }
    }

    /// The services whose outbox a relay publishes.
    package static let sources = services.filter { $0.outbox != nil }
    package static let consumers = services.filter(\.isConsumer)

    /// One per process, and one of each consumer's autoscaler, which looks at the length of its queue.
    package static var brokerUsers: [String] { brokerPermissions.map(\.user) }
}
