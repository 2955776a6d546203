package import AMQP
import Observability
package import ServiceRuntime
internal import TransportSecurity

/// Where the fleet's broker is: the settings of every process that publishes or consumes events.
package struct BrokerSettings: Sendable {
    private static let url = Setting<Secret<String>>.secret(
        "RABBITMQ_URL", "The broker of the fleet's events, as the user of this process.",
        expected: "an address beginning with amqp:// or amqps://"
    ) { $0.hasPrefix("amqp://") || $0.hasPrefix("amqps://") }
    private static let authoritiesFile = Setting<String>.path(
        "RABBITMQ_CA_FILE", "CA certificates for an amqps:// broker, in PEM.", default: "/etc/ssl/certs/ca-certificates.crt")

    package static let declared: [any SettingDeclaration] = [url, authoritiesFile]

    package let configuration: AMQPConfiguration

    /// - Throws: ``InvalidConfiguration`` when the address, or the file of authorities, can't be used.
    package init(_ values: SettingValues) throws(InvalidConfiguration) {
        do {
            configuration = try AMQPConfiguration(url: values[Self.url].reveal(), authorityFile: values[Self.authoritiesFile])
        } catch {
            throw InvalidConfiguration(key: Self.url.key, "can't be used: \(error)")
        }
        guard let file = configuration.authorityFile else { return }
        do {
            _ = try FleetAuthorities(file: file)
        } catch  where file == values[Self.authoritiesFile] {
            throw InvalidConfiguration(key: Self.authoritiesFile.key, "\(error)")
        } catch {
            // A parameter of the address is not shown.
            throw InvalidConfiguration(key: Self.url.key, "can't be used: its cacertfile \(error.problem.rawValue)")
        }
    }

    /// - Throws: ``InvalidConfiguration`` when the address is another user's.
    package func require(user: String) throws(InvalidConfiguration) {
        guard configuration.user == user else {
            throw InvalidConfiguration(key: Self.url.key, "is of the user \(PlainLine.text(configuration.user)); \(user) is needed here")
        }
    }
}
