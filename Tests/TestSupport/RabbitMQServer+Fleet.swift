import Foundation

extension RabbitMQServer {
    /// Makes a virtual host as infra/rabbitmq says: the fleet's users may there what they may in the fleet, and its policies hold. The tests'
    /// own user may do everything. One that is there is given the same again.
    package func makeFleet(_ host: String) async throws {
        let path = "\(folder)/definitions.\(UUID().uuidString).json"
        try fleetDefinitions(host).write(to: URL(fileURLWithPath: path))
        try await control("import_definitions", path)
    }

    private func fleetDefinitions(_ host: String) throws -> Data {
        func entries(_ member: String, in file: String) throws -> [[String: Any]] {
            let bytes = try Data(contentsOf: URL(fileURLWithPath: RepositoryRoot.path("infra/rabbitmq/\(file).json")))
            let all = (try JSONSerialization.jsonObject(with: bytes) as? [String: Any])?[member] as? [[String: Any]] ?? []
            return all.map { $0.merging(["vhost": host]) { $1 } }
        }
        let permissions = try entries("permissions", in: "permissions")
        let own = ["user": Self.user, "vhost": host, "configure": ".*", "write": ".*", "read": ".*"]
        return try JSONSerialization.data(withJSONObject: [
            "vhosts": [["name": host]],
            "users": permissions.compactMap { $0["user"] }.map { ["name": $0, "password": password, "tags": [String]()] },
            "permissions": permissions + [own], "topic_permissions": try entries("topic_permissions", in: "permissions"),
            "policies": try entries("policies", in: "policies"),
        ])
    }
}
