package import Logging

/// What every process can be told, whatever its service.
package struct ProcessSettings: Sendable {
    package static let logLevel = Setting<Logger.Level>.choice("LOG_LEVEL", "Minimum level of log lines.", default: .info)
    package static let adminHost = Setting<String>.host(
        "ADMIN_HOST", "The address that health and metrics are served on.", default: "127.0.0.1")
    package static let drainDelay = Setting<Duration>.duration(
        "DRAIN_DELAY", "How long the process keeps serving after /readyz reports draining.", in: .zero ... .seconds(60), default: .zero)
    package static let drainTimeout = Setting<Duration>.duration(
        "DRAIN_TIMEOUT", "How long a process may take to finish its work after SIGTERM.", in: .milliseconds(100) ... .seconds(600),
        default: .seconds(25))

    package static let version = Setting<String>.text(
        "FLORIN_VERSION", "The release, set by the image.", default: "unknown")

    package static func adminPort(default port: Int) -> Setting<Int> {
        .port("ADMIN_PORT", "The port that health and metrics are served on.", default: port)
    }

    package let environment: FlorinEnvironment
    package let logLevel: Logger.Level
    package let adminHost: String
    package let adminPort: Int
    package let drainDelay: Duration
    package let drainTimeout: Duration
    package let version: String
    package let tracing: TracingSettings

    static func declared(defaultAdminPort: Int) -> [any SettingDeclaration] {
        [FlorinEnvironment.setting, logLevel, adminHost, adminPort(default: defaultAdminPort), drainDelay, drainTimeout, version]
            + TracingSettings.declared
    }

    init(_ values: SettingValues, defaultAdminPort: Int) {
        environment = values[FlorinEnvironment.setting]
        logLevel = values[Self.logLevel]
        adminHost = values[Self.adminHost]
        adminPort = values[Self.adminPort(default: defaultAdminPort)]
        drainDelay = values[Self.drainDelay]
        drainTimeout = values[Self.drainTimeout]
        version = values[Self.version]
        tracing = TracingSettings(values)
    }
}
