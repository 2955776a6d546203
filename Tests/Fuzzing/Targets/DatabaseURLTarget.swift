import Postgres

/// Database URLs: nothing that is shown of one, or of its refusal, is its password.
enum DatabaseURLTarget {
    private static let password = "hunter2hunter2"

    static func run(_ bytes: [UInt8]) throws(BrokenProperty) {
        let rest = String(decoding: bytes, as: UTF8.self)
        try check(rest, password: nil)
        try check("postgres://user:\(password)@" + rest, password: password)
        try check("postgres://host/database?" + rest, password: nil)
    }

    private static func check(_ url: String, password: String?) throws(BrokenProperty) {
        let configuration: PostgresConfiguration
        do throws(PostgresError) {
            configuration = try PostgresConfiguration(url: url)
        } catch {
            guard let password else { return }
            return try BrokenProperty.unless(!"\(error) \(String(reflecting: error))".contains(password), "a refusal with the password")
        }
        try BrokenProperty.unless((1...65_535).contains(configuration.port), "port \(configuration.port)")
        // Somebody who writes the password in another place as well shows it themselves.
        guard let password, !(configuration.host + configuration.database + configuration.user).contains(password) else { return }
        let shown = "\(configuration) \(String(reflecting: configuration)) \(Mirror(reflecting: configuration).children.map { "\($0)" })"
        try BrokenProperty.unless(!shown.contains(password), "a description with the password")
    }
}
