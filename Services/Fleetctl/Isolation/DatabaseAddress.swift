package import Postgres

/// Where a URL leads and as whom, in a form that can be compared; safe to print.
///
/// What a comparison of texts cannot see (two names of one machine, a pooler before it) shows when the databases are asked themselves.
package struct DatabaseAddress: Sendable, Hashable, CustomStringConvertible {
    /// More than one when libpq would try them in turn.
    package let hosts: Set<String>
    package let port: Int
    package let database: String
    package let role: String
    package let description: String

    package init(_ configuration: PostgresConfiguration) {
        hosts = Set(configuration.host.split(separator: ",").map { Self.normalized($0) })
        port = configuration.port
        database = configuration.database
        role = configuration.user
        description = "\(configuration)"
    }

    /// `host:port/database`, without the role.
    package var databaseDescription: String { "\(hosts.sorted().joined(separator: ",")):\(port)/\(database)" }

    package func isSameServer(as other: DatabaseAddress) -> Bool {
        port == other.port && !hosts.isDisjoint(with: other.hosts)
    }

    package func isSameDatabase(as other: DatabaseAddress) -> Bool {
        isSameServer(as: other) && database == other.database
    }

    /// Names are the same in either case and with the root's dot; every way to this machine is one (a socket's folder begins with a slash).
    private static func normalized(_ host: Substring) -> String {
        var name = host.lowercased()
        if name.count > 1, name.hasSuffix(".") { name.removeLast() }
        let isHere = name == "localhost" || name == "::1" || name.hasPrefix("/") || name.hasPrefix("@") || isLoopback(name)
        return isHere ? "localhost" : name
    }

    /// 127.0.0.0/8.
    private static func isLoopback(_ name: String) -> Bool {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }
}
