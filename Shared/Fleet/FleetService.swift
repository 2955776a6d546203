/// What others have to know of one service.
package struct FleetService: Sendable, Hashable {
    /// What makes a service one that is called.
    package struct API: Sendable, Hashable {
        package let port: Int
        /// Who calls it, each with a signing key of its own.
        package let callers: [String]

        package init(port: Int, callers: [String]) {
            self.port = port
            self.callers = callers
        }
    }

    package struct Database: Sendable, Hashable {
        /// The setting with its address, which no other service may have.
        package let variable: String
        /// The same for a standby that the service reads from.
        package let replicaVariable: String?

        package init(variable: String, replicaVariable: String? = nil) {
            self.variable = variable
            self.replicaVariable = replicaVariable
        }
    }

    package struct Outbox: Sendable, Hashable {
        /// The first word of its events' types, which are nobody else's.
        package let area: String
        package let relayAdminPort: Int

        package init(area: String, relayAdminPort: Int) {
            self.area = area
            self.relayAdminPort = relayAdminPort
        }
    }

    /// The executable's; folders, manifests, the queue and the stamp of the database are named after it.
    package let name: String
    package let adminPort: Int
    package let api: API?
    package let database: Database?
    /// Patterns of the topic exchange. Each names a version, so that a newer one does not reach the service before it is ready.
    package let consumes: [String]
    package let outbox: Outbox?

    package init(
        name: String, adminPort: Int, api: API? = nil, database: Database? = nil, consumes: [String] = [], outbox: Outbox? = nil
    ) {
        self.name = name
        self.adminPort = adminPort
        self.api = api
        self.database = database
        self.consumes = consumes
        self.outbox = outbox
    }
}

extension FleetService {
    /// Of the API; 0, which is any free one, for a service that nobody calls.
    package var apiPort: Int { api?.port ?? 0 }

    package var isConsumer: Bool { !consumes.isEmpty }

    /// Replay windows are kept under a user of the service's own.
    package var redisUser: String? { api == nil ? nil : name }

    /// The broker's user of the relay that empties a service's outbox.
    ///
    /// The name says who published an event: the relay sends it as the message's `user-id`, the broker refuses a false one, and consumers
    /// take events of a producer from its relay alone. So it is a rule and no setting.
    package static func relayUser(of service: String) -> String { "\(service)-relay" }

    /// The first words of what it consumes.
    package var consumedAreas: [String] {
        var areas: [String] = []
        for area in consumes.map({ String($0.prefix { $0 != "." }) }) where !areas.contains(area) { areas.append(area) }
        return areas
    }
}
