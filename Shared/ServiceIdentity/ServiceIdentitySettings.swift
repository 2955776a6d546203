import RequestSigning
package import ServiceRuntime

/// The settings of a service that is called or calls.
package struct ServiceIdentitySettings: Sendable {
    /// The settings' declarations for one service.
    package struct Declaration: Sendable {
        fileprivate let keysFile: Setting<String>

        /// - Parameter service: The executable's name.
        package init(service: String) {
            keysFile = .path(
                ServiceIdentitySettings.keysFileKey, "The signing keys of this service's pairs.",
                default: "/run/secrets/florin/\(service).keys.json")
        }

        package var declared: [any SettingDeclaration] { [keysFile, ServiceIdentitySettings.connectTimeout] + InternalTLS.declared }

        package func settings(_ values: SettingValues) -> ServiceIdentitySettings {
            ServiceIdentitySettings(
                keysFile: values[keysFile], internalTLS: InternalTLS(values), connectTimeout: values[ServiceIdentitySettings.connectTimeout])
        }
    }

    static let keysFileKey = "INTERNAL_AUTH_KEYS_FILE"
    private static let connectTimeout = Setting<Duration>.duration(
        "HTTP_CONNECT_TIMEOUT", "Maximum time to open a connection to another service or the token issuer, DNS and TLS included.",
        in: .milliseconds(50) ... .seconds(10), default: FleetHTTPClient.defaultConnectTimeout)

    private let keysFile: String
    let internalTLS: InternalTLS
    let connectTimeout: Duration

    /// Reads this service's signing keys.
    ///
    /// - Throws: ``InvalidConfiguration`` when the file can't be used, or is another service's.
    func keys(of service: String) throws(InvalidConfiguration) -> SigningKeyStore {
        let keys: SigningKeyStore
        do {
            keys = try SigningKeyStore(path: keysFile)
        } catch {
            throw InvalidConfiguration(key: Self.keysFileKey, "can't be used: \(error)")
        }
        guard keys.current.service == service else {
            throw InvalidConfiguration(key: Self.keysFileKey, "can't be used: it holds the keys of another service")
        }
        return keys
    }
}
