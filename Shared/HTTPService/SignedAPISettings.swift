internal import AccessTokens
import ReplayProtection
internal import RequestSigning
package import ServiceRuntime

/// The settings of a service that takes signed requests; which defaults they have depends on the service.
package struct SignedAPISettings: Sendable {
    /// The settings' declarations for one service.
    package struct Declaration: Sendable {
        fileprivate static let keysFileKey = "INTERNAL_AUTH_KEYS_FILE"

        let keysFile: Setting<String>
        let port: Setting<Int>

        /// - Parameters:
        ///   - service: The executable's name.
        ///   - port: Of the API, when nothing else is set.
        package init(service: String, port: Int) {
            keysFile = .path(
                Self.keysFileKey, "The signing keys of this service's pairs.", default: "/run/secrets/florin/\(service).keys.json")
            self.port = .port("HTTP_PORT", "The port of the API.", default: port)
        }

        package var declared: [any SettingDeclaration] {
            [
                keysFile, SignedAPISettings.issuer, SignedAPISettings.audience, SignedAPISettings.keySet, SignedAPISettings.host, port,
                SignedAPISettings.eventLoops,
            ] + ReplayWindowSettings.declared + InternalTLS.declared
        }

        /// - Throws: ``InvalidConfiguration`` when settings do not go together.
        package func settings(_ values: SettingValues) throws(InvalidConfiguration) -> SignedAPISettings {
            SignedAPISettings(
                keysFile: values[keysFile], issuer: values[SignedAPISettings.issuer], audience: values[SignedAPISettings.audience],
                keySet: values[SignedAPISettings.keySet], host: values[SignedAPISettings.host], port: values[port],
                eventLoops: values[SignedAPISettings.eventLoops], replayWindow: try ReplayWindowSettings(values), internalTLS: InternalTLS(values))
        }
    }

    private static let issuer = Setting<String>.url("TOKEN_ISSUER", "Who issues access tokens.", schemes: ["https", "http"], default: nil)
    private static let audience = Setting<String>.text("TOKEN_AUDIENCE", "The audience that access tokens name.", default: "florin-api")
    private static let keySet = Setting<String>.urlOrPath("TOKEN_JWKS", "The issuer's keys.", schemes: ["https", "http"], default: nil)
    private static let host = Setting<String>.host("HTTP_HOST", "The address to listen on.", default: "0.0.0.0")
    private static let eventLoops = Setting<Int>.integer(
        "HTTP_EVENT_LOOPS", "Threads that serve HTTP.", in: 1...64, unit: "threads", default: 1)

    private let keysFile: String
    let issuer: String
    let audience: String
    private let keySet: String
    let host: String
    let port: Int
    let eventLoops: Int
    let replayWindow: ReplayWindowSettings
    let internalTLS: InternalTLS

    /// Where the issuer's keys are.
    enum KeySetSource {
        case address(String)
        case file(String)
    }

    /// Reads this service's signing keys.
    ///
    /// - Throws: ``InvalidConfiguration`` when the file can't be used, or is another service's.
    func keys(of service: String) throws(InvalidConfiguration) -> SigningKeyStore {
        let keys: SigningKeyStore
        do {
            keys = try SigningKeyStore(path: keysFile)
        } catch {
            throw InvalidConfiguration(key: Declaration.keysFileKey, "can't be used: \(error)")
        }
        guard keys.current.service == service else {
            throw InvalidConfiguration(key: Declaration.keysFileKey, "can't be used: it holds the keys of another service")
        }
        return keys
    }

    /// - Throws: ``InvalidConfiguration`` when it is a file that can't be used.
    func keySetSource() throws(InvalidConfiguration) -> KeySetSource {
        guard !keySet.contains("://") else { return .address(keySet) }
        do {
            try JSONWebKeySet.inspect(file: keySet)
        } catch {
            throw InvalidConfiguration(key: Self.keySet.key, "can't be used: \(keySet): \(error)")
        }
        return .file(keySet)
    }
}
