/// Which variable of an environment leads to whose database.
package struct DatabaseVariables: Sendable {
    /// Service → the variable of its database.
    package let own: [String: String]
    /// Service → the variable of a read replica, for those that may have one: a standby of the service's own database and no other.
    package let replicas: [String: String]

    package init(own: [String: String], replicas: [String: String]) {
        self.own = own
        self.replicas = replicas
    }

    /// The service to which a variable belongs, be it of its database or of that one's replica.
    package func owner(of variable: String) -> String? {
        own.first { $0.value == variable }?.key ?? replicas.first { $0.value == variable }?.key
    }
}
