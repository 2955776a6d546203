internal import CLibPQ

/// Where a database is and as whom to connect to it, from a `postgres://` URL.
///
/// The URL is a secret. No description, reflection or error of this type shows the password or a parameter of the URL.
package struct PostgresConfiguration: Sendable {
    package let host: String
    package let port: Int
    package let database: String
    package let user: String
    /// Shown by `pg_stat_activity`.
    package let applicationName: String
    private let password: String?
    /// The other parameters of the URL that this module lets through, by libpq's keyword.
    private let parameters: [String: String]

    package static let defaultPort = 5432
    package static let defaultConnectTimeout: Duration = .seconds(5)

    /// Parses and checks a URL.
    ///
    /// Keys of its query: `sslmode`, `sslrootcert`, `sslcert`, `sslkey`, `sslcrl`, `ssl_min_protocol_version`, `channel_binding`,
    /// `connect_timeout` (s), `application_name`, `keepalives`, `keepalives_idle` (s), `keepalives_interval` (s), `keepalives_count`,
    /// `tcp_user_timeout` (ms), `target_session_attrs`. `options` is refused, because PgBouncer refuses it.
    /// - Parameters:
    ///   - applicationName: used where the URL names none.
    ///   - connectTimeout: in whole seconds, at least 2 (libpq's own floor), used where the URL names none.
    /// - Throws: `invalidConfiguration`, naming the key but never a value.
    package init(
        url: String, applicationName: String = "florin", connectTimeout: Duration = defaultConnectTimeout
    ) throws(PostgresError) {
        guard url.hasPrefix("postgres://") || url.hasPrefix("postgresql://") else {
            throw PostgresError(.invalidConfiguration, "the database URL must begin with postgres://")
        }
        guard !url.utf8.contains(0) else { throw PostgresError(.invalidConfiguration, "the database URL is malformed") }
        var values = try Self.parse(url)
        func take(_ key: String) throws(PostgresError) -> String {
            guard let value = values.removeValue(forKey: key), !value.isEmpty else {
                throw PostgresError(.invalidConfiguration, "the database URL has no \(key)")
            }
            return value
        }
        host = try take("host")
        // What stands before it would be shown as a piece of the host, but belongs to the password.
        guard !host.contains("@") else { throw PostgresError(.invalidConfiguration, "the database URL has an @ that must be percent-encoded") }
        user = try take("user")
        database = try take("dbname")
        password = values.removeValue(forKey: "password")
        let portText = values.removeValue(forKey: "port") ?? "\(Self.defaultPort)"
        guard let port = Int(portText), (1...65535).contains(port) else {
            throw PostgresError(.invalidConfiguration, "the database URL's port is not one number from 1 to 65535")
        }
        self.port = port
        for key in values.keys.sorted() where Self.allowedKeys.contains(key) == false {
            throw PostgresError(.invalidConfiguration, "the database URL's parameter \(key) is not supported")
        }
        for (key, range) in Self.numericRanges {
            guard let text = values[key] else { continue }
            guard let number = Int(text), range.contains(number) else {
                throw PostgresError(.invalidConfiguration, "the database URL's parameter \(key) is not a number in \(range)")
            }
        }
        if let mode = values["sslmode"], !Self.sslModes.contains(mode) {
            throw PostgresError(.invalidConfiguration, "the database URL's sslmode is not one of \(Self.sslModes.joined(separator: ", "))")
        }
        self.applicationName = values.removeValue(forKey: "application_name") ?? applicationName
        let seconds = max(2, connectTimeout.components.seconds)
        parameters = Self.defaultParameters.merging(["connect_timeout": "\(seconds)"]) { $1 }.merging(values) { $1 }
    }

    private init(copying other: PostgresConfiguration, database: String) {
        host = other.host
        port = other.port
        user = other.user
        applicationName = other.applicationName
        password = other.password
        parameters = other.parameters
        self.database = database
    }

    private init(place: PostgresConfiguration, role: PostgresConfiguration) {
        host = place.host
        port = place.port
        database = place.database
        applicationName = place.applicationName
        user = role.user
        password = role.password
        // A client certificate says who one is; the other parameters say how this server is reached.
        let places = place.parameters.filter { !Self.identityKeys.contains($0.key) }
        parameters = places.merging(role.parameters.filter { Self.identityKeys.contains($0.key) }) { $1 }
    }

    private static let identityKeys: Set<String> = ["sslcert", "sslkey"]

    /// The same server and role, another database; for checks that compare databases.
    package func connecting(toDatabase name: String) -> PostgresConfiguration {
        PostgresConfiguration(copying: self, database: name)
    }

    /// The same server and database with the role, password and client certificate of another URL; for checks that must be refused.
    package func connecting(asRoleOf other: PostgresConfiguration) -> PostgresConfiguration {
        PostgresConfiguration(place: self, role: other)
    }

    /// What libpq is told, every connection setting among it, so that no `PG*` variable decides one.
    var keywordsAndValues: [(keyword: String, value: String)] {
        var pairs = [
            ("host", host), ("port", "\(port)"), ("dbname", database), ("user", user), ("application_name", applicationName),
            ("client_encoding", "UTF8"), ("gssencmode", "disable"),
        ]
        if let password { pairs.append(("password", password)) }
        for key in parameters.keys.sorted() { pairs.append((key, parameters[key] ?? "")) }
        return pairs
    }

    /// A dead peer is noticed within half a minute, waiting or sending.
    private static let defaultParameters = [
        "sslmode": "prefer", "keepalives": "1", "keepalives_idle": "15", "keepalives_interval": "5", "keepalives_count": "3",
        "tcp_user_timeout": "30000",
    ]

    private static let sslModes = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]

    private static let allowedKeys: Set<String> = [
        "sslmode", "sslrootcert", "sslcert", "sslkey", "sslcrl", "ssl_min_protocol_version", "channel_binding", "connect_timeout",
        "application_name", "keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout",
        "target_session_attrs",
    ]

    private static let numericRanges: [String: ClosedRange<Int>] = [
        "connect_timeout": 2...600, "keepalives": 0...1, "keepalives_idle": 0...7200, "keepalives_interval": 0...600,
        "keepalives_count": 0...100, "tcp_user_timeout": 0...3_600_000,
    ]

    /// libpq's own parser; what it says about a bad URL may quote the password and is dropped.
    private static func parse(_ url: String) throws(PostgresError) -> [String: String] {
        var message: UnsafeMutablePointer<CChar>?
        let options = PQconninfoParse(url, &message)
        defer {
            if let options { PQconninfoFree(options) }
            if let message { PQfreemem(message) }
        }
        guard let options else { throw PostgresError(.invalidConfiguration, "the database URL is malformed") }
        var values: [String: String] = [:]
        var option = options
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val { values[String(cString: keyword)] = String(cString: value) }
            option += 1
        }
        return values
    }
}

extension PostgresConfiguration: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "\(user)@\(host):\(port)/\(database)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: ["target": description]) }
}
