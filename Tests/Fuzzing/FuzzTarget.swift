/// What the fuzzer feeds: a reader of bytes that come from outside, with what must hold whatever they are.
///
/// A crash is a finding, and so is a ``BrokenProperty``. The files in `Corpus/<name>` are what is known to be interesting; the ordinary
/// tests replay them (`FuzzingTests`), `make fuzz` looks for more.
package enum FuzzTarget: String, CaseIterable, Sendable {
    case authorizationRequest = "authorization-request"
    case browserHeaders = "browser-headers"
    case clientCredentials = "client-credentials"
    case cookie
    case databaseURL = "database-url"
    case emailAddress = "email-address"
    case event
    case form
    case identifier
    case json
    case keyFile = "key-file"
    case keySet = "key-set"
    case mail
    case mailTransaction = "mail-transaction"
    case mailedCode = "mailed-code"
    case messageContent = "message-content"
    case page
    case password
    case passwordHash = "password-hash"
    case recoveryCode = "recovery-code"
    case redirect
    case refreshToken = "refresh-token"
    case sealedText = "sealed-text"
    case settings
    case signature
    case signatureText = "signature-text"
    case token
    case totp
    case trace

    /// - Throws: ``BrokenProperty``.
    package func run(_ bytes: [UInt8]) throws(BrokenProperty) {
        switch self {
        case .authorizationRequest: try OAuthTarget.runRequest(bytes)
        case .browserHeaders: try BrowserTarget.runHeaders(bytes)
        case .clientCredentials: try OAuthTarget.runCredentials(bytes)
        case .cookie: try BrowserTarget.runCookie(bytes)
        case .databaseURL: try DatabaseURLTarget.run(bytes)
        case .emailAddress: try CredentialTarget.runAddress(bytes)
        case .event: try EventTarget.run(bytes)
        case .form: try OAuthTarget.runForm(bytes)
        case .identifier: try IdentifierTarget.run(bytes)
        case .json: try JSONTarget.run(bytes)
        case .keyFile: try KeyFileTarget.run(bytes)
        case .keySet: try TokenTarget.runKeySet(bytes)
        case .mail: try MailTarget.runMessage(bytes)
        case .mailTransaction: try MailTarget.runTransaction(bytes)
        case .mailedCode: try CredentialTarget.runMailedCode(bytes)
        case .messageContent: try SealingTarget.runContent(bytes)
        case .page: try PageTarget.run(bytes)
        case .password: try CredentialTarget.runPassword(bytes)
        case .passwordHash: try CredentialTarget.runHash(bytes)
        case .recoveryCode: try CredentialTarget.runRecoveryCode(bytes)
        case .redirect: try OAuthTarget.runRedirect(bytes)
        case .refreshToken: try OAuthTarget.runRefreshToken(bytes)
        case .sealedText: try SealingTarget.runText(bytes)
        case .settings: try SettingsTarget.run(bytes)
        case .signature: try SignatureTarget.run(bytes)
        case .signatureText: try SignatureTarget.runText(bytes)
        case .token: try TokenTarget.run(bytes)
        case .totp: try CredentialTarget.runTOTP(bytes)
        case .trace: try TraceTarget.run(bytes)
        }
    }
}

/// Something that must hold for every input, and does not for this one.
package struct BrokenProperty: Error, CustomStringConvertible {
    package let description: String

    /// - Throws: itself, when the condition is false.
    static func unless(_ condition: Bool, _ description: @autoclosure () -> String) throws(BrokenProperty) {
        if !condition { throw BrokenProperty(description: description()) }
    }
}
