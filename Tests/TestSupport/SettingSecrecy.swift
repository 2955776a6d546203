package import ServiceRuntime

/// Looks for settings that quote or list what may be a secret.
package enum SettingSecrecy {
    private static let marker = "s3cretMarker"

    /// Values that hold a password, or another setting's: whoever mistypes a name or an address writes them.
    private static let values = [
        "https://user:\(marker)@host.example/path", "http://\(marker)@host.example", "ftp://user:\(marker)@host.example",
        "postgres://user:\(marker)@", "postgres://user:p@\(marker)@host.example/db", "postgres://user:p@host.example:\(marker)/db",
        "postgres://user:p@host.example/db?\(marker)=1", "postgresql://user:\(marker)@host.example",
        "redis://user:\(marker)@", "redis://user:p@host.example:\(marker)", "rediss://user:\(marker)%@host.example",
        "redis://host.example?\(marker)", "amqp://user:\(marker)@", "amqps://user:p?\(marker)@host.example",
        "amqp://user:p@host.example?\(marker)=1", "amqp://user:p@host.example:\(marker)", "amqp://user:p@host.example/v/\(marker)",
        "https://host.example/path?key=\(marker)", "https://host.example/#\(marker)", "user:\(marker)@host.example", "user:\(marker)@",
        "\(marker) \u{7}", "=\(marker)", "key=\(marker)@", "EUR=\(marker)", "\(marker)=1", "\(marker)\nsecond line",
    ]

    /// Each setting and value of which a complaint says something, or the listing something that holds a password.
    ///
    /// - Parameter good: An environment that is accepted.
    package static func leaks<Settings: ServiceConfiguration>(of _: Settings.Type, _ good: [String: String]) -> [String] {
        var leaks: [String] = []
        for setting in Settings.allDeclared {
            // A number or a word may be quoted, whatever it was meant to be.
            for value in values + (setting.isHarmless ? [] : ["\(marker)\u{7}"]) {
                let environment = good.merging([setting.key: value]) { $1 }
                var told = ""
                do {
                    _ = try Settings.load(environment: environment)
                } catch {
                    told = "\(error)" + error.problems.map(\.description).joined()
                }
                let rows = SettingListing(of: Settings.allDeclared, environment: environment).rows
                told += rows.compactMap(\.problem).joined()
                if value.contains("://") || setting.isSecret { told += rows.compactMap(\.value).joined() }
                if told.contains(marker) { leaks.append("\(setting.key)=\(value): \(told)") }
            }
        }
        return leaks
    }
}
