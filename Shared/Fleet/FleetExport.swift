/// The table for those who don't read Swift; `fleetctl fleet` prints it.
extension Fleet {
    /// One line per service, columns separated by tabs, `-` for what a service does not have: what `infra/fleet.tsv` holds.
    package static var table: String {
        let rows = services.map { service in
            [
                service.name, "\(service.adminPort)", service.api.map { "\($0.port)" }, service.api?.callers.joined(separator: ","),
                service.database?.variable, service.database?.replicaVariable,
                service.isConsumer ? service.consumes.joined(separator: ",") : nil, service.outbox?.area,
                service.outbox.map { "\($0.relayAdminPort)" },
            ].map { $0 ?? "-" }
        }
        let lines = [columns] + rows
        return "# fleetctl fleet table: Shared/Fleet as the scripts read it.\n" + lines.map { $0.joined(separator: "\t") + "\n" }.joined()
    }

    private static let columns = ["# name", "admin", "api", "callers", "database", "replica", "consumes", "area", "relay-admin"]

    /// What RabbitMQ imports as `permissions.json`.
    package static var permissionsFile: String {
        let users = brokerPermissions.map { user in
            """
                {
                  "user": "\(user.user)",
                  "vhost": "/",
                  "configure": "\(escaped(user.configure))",
                  "write": "\(escaped(user.write))",
                  "read": "\(escaped(user.read))"
                }
            """
        }
        let topics = brokerPermissions.compactMap { user in
            user.topic.map { topic in
                #"    {"user": "\#(user.user)", "vhost": "/", "exchange": "florin.events", "#
                    + #""write": "\#(escaped(topic.write))", "read": "\#(escaped(topic.read))"}"#
            }
        }
        return """
            {
              "permissions": [
            \(users.joined(separator: ",\n"))
              ],
              "topic_permissions": [
            \(topics.joined(separator: ",\n"))
              ]
            }

            """
    }

    private static func escaped(_ text: String) -> String { text.split(separator: #"\"#, omittingEmptySubsequences: false).joined(separator: #"\\"#) }
}
