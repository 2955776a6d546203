internal import AccessTokens
import ReplayProtection
internal import RequestSigning
package import ServiceRuntime

/// The settings of a service that takes signed requests; which defaults they have depends on the service.
package struct InboundAPISettings: Sendable {
    /// The settings' declarations for one service.
    package struct Declaration: Sendable {
        let port: Setting<Int>
        private let keySet: Setting<String>?

        /// - Parameters:
        ///   - port: Of the API, when nothing else is set.
        ///   - issuesTokens: The service is the issuer, and hands its keys to ``InboundAPI/compose(_:endpoints:keys:mapError:)``.
        package init(port: Int, issuesTokens: Bool = false) {
            self.port = .port("HTTP_PORT", "The port of the API.", default: port)
            keySet = issuesTokens ? nil : InboundAPISettings.keySet
        }

        package var declared: [any SettingDeclaration] {
            [InboundAPISettings.issuer, InboundAPISettings.audience] + (keySet.map { [$0] } ?? [])
                + [InboundAPISettings.host, port, InboundAPISettings.eventLoops] + ReplayWindowSettings.declared
        }

        /// - Throws: ``InvalidConfiguration`` when settings do not go together.
        package func settings(_ values: SettingValues) throws(InvalidConfiguration) -> InboundAPISettings {
            InboundAPISettings(
                issuer: values[InboundAPISettings.issuer], audience: values[InboundAPISettings.audience],
                keySet: keySet.map { values[$0] }, host: values[InboundAPISettings.host], port: values[port],
                eventLoops: values[InboundAPISettings.eventLoops], replayWindow: try ReplayWindowSettings(values))
        }
    }

    private static let issuer = Setting<String>.url("TOKEN_ISSUER", "Who issues access tokens.", schemes: ["https", "http"], default: nil)
    private static let audience = Setting<String>.text("TOKEN_AUDIENCE", "The audience that access tokens name.", default: "florin-api")
    private static let keySet = Setting<String>.urlOrPath("TOKEN_JWKS", "The issuer's keys.", schemes: ["https", "http"], default: nil)
    private static let host = Setting<String>.host("HTTP_HOST", "The address to listen on.", default: "0.0.0.0")
    private static let eventLoops = Setting<Int>.integer(
        "HTTP_EVENT_LOOPS", "Threads that serve HTTP.", in: 1...64, unit: "threads", default: 1)

    /// Who issues access tokens (`iss`).
    package let issuer: String
    /// What access tokens name as `aud`.
    package let audience: String
    private let keySet: String?
    let host: String
    let port: Int
    let eventLoops: Int
    let replayWindow: ReplayWindowSettings

    /// Where the issuer's keys are.
    enum KeySetSource {
        case address(String)
        case file(String)
    }

    /// - Returns: nil where the service issues the tokens.
    /// - Throws: ``InvalidConfiguration`` when it is a file that can't be used.
    func keySetSource() throws(InvalidConfiguration) -> KeySetSource? {
        guard let keySet else { return nil }
        guard !keySet.contains("://") else { return .address(keySet) }
        do {
            try JSONWebKeySet.inspect(file: keySet)
        } catch {
            throw InvalidConfiguration(key: Self.keySet.key, "can't be used: \(keySet): \(error)")
        }
        return .file(keySet)
    }
}
