/// The fleet: which services there are, and what others have to know of each.
///
/// The one place for these facts. Keys, topology, the broker's permissions and the isolation check are made from it; the local fleet and
/// the checks of the manifests read `infra/fleet.tsv`, which is its export; tests name what a service lacks.
package enum Fleet {
    /// Those that serve, in order of dependency (all take tokens by identity's keys): the local fleet starts them in this order.
    package static let services: [FleetService] = [.identity, .walletLedger, .opsRisk, .notification]

    /// Publishes the outbox of one service: a process per source, on the source's database.
    package static let relay = "outbox-relay"
    /// The operators' tool: it has no database and is called by nobody.
    package static let operators = "fleetctl"

    /// Services to come, with the variables of their databases. They are callers already, and their variables are foreign to all others.
    package static let planned = [
        "api-gateway": "API_GATEWAY_DATABASE_URL",
        "audit-export": "AUDIT_EXPORT_DATABASE_URL",
        "backoffice": "BACKOFFICE_DATABASE_URL",
        "mobile-bff": "MOBILE_BFF_DATABASE_URL",
    ]
}

extension FleetService {
    package static let identity = FleetService(
        name: "identity", adminPort: 9_101, api: API(port: 8_101, callers: ["api-gateway", "mobile-bff", "backoffice", "fleetctl"]),
        database: Database(variable: "IDENTITY_DATABASE_URL"), outbox: Outbox(area: "identity", relayAdminPort: 9_127))

    package static let walletLedger = FleetService(
        name: "wallet-ledger", adminPort: 9_103,
        api: API(port: 8_103, callers: ["api-gateway", "mobile-bff", "backoffice", "fleetctl"]),
        database: Database(variable: "LEDGER_DATABASE_URL", replicaVariable: "LEDGER_REPLICA_DATABASE_URL"),
        outbox: Outbox(area: "ledger", relayAdminPort: 9_107))

    package static let opsRisk = FleetService(
        name: "ops-risk", adminPort: 9_104, api: API(port: 8_104, callers: ["backoffice", "fleetctl"]),
        database: Database(variable: "OPS_RISK_DATABASE_URL"), consumes: ["ledger.transfer.*.v1"],
        outbox: Outbox(area: "risk", relayAdminPort: 9_117))

    package static let notification = FleetService(
        name: "notification", adminPort: 9_105, database: Database(variable: "NOTIFICATION_DATABASE_URL"),
        consumes: ["identity.message.requested.v1"])
}
