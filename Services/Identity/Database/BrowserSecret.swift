import AccessTokens
import Crypto
package import FoundationEssentials

/// A secret that a browser or an app keeps and shows again; its SHA-256 is all that the database has of it.
package struct BrowserSecret: Sendable, Hashable, CustomStringConvertible, CustomReflectable {
    private let secret: OpaqueSecret

    private init(_ secret: OpaqueSecret) { self.secret = secret }

    /// - Parameter text: As a browser sends it; nil for what was never made here.
    package init?(_ text: some StringProtocol) {
        guard let secret = OpaqueSecret(text) else { return nil }
        self.secret = secret
    }

    package static func random() -> BrowserSecret { BrowserSecret(.random()) }

    /// As the browser keeps it.
    package var text: String { secret.text }
    /// As the database has it.
    package var hash: [UInt8] { secret.hash }

    package var description: String { "browser secret" }
    package var customMirror: Mirror { Mirror(self, children: []) }

    // MARK: what is derived from it, so that it need not be stored

    /// What a page of this browser's flow posts with its form. No other browser's page has it, nor another flow's.
    package func formToken(of flow: UUID) -> String {
        Base64URL.encode(Array(HMAC<SHA256>.authenticationCode(for: Self.bytes(of: flow), using: secret.key(for: Self.form))))
    }

    /// Compares in constant time.
    package func isFormToken(_ text: String, of flow: UUID) -> Bool {
        guard let code = OpaqueSecret(text)?.bytes else { return false }
        return HMAC<SHA256>.isValidAuthenticationCode(code, authenticating: Self.bytes(of: flow), using: secret.key(for: Self.form))
    }

    /// Encrypts what only this browser can have again.
    func seal(_ text: String, of flow: UUID) throws -> [UInt8] {
        try secret.seal(Array(text.utf8), for: Self.answer, of: Self.bytes(of: flow))
    }

    /// - Returns: nil for what was sealed for another browser or flow.
    func open(_ sealed: [UInt8], of flow: UUID) -> String? {
        secret.open(sealed, for: Self.answer, of: Self.bytes(of: flow)).flatMap { String(validating: $0, as: UTF8.self) }
    }

    private static let form = "florin sign-in form"
    private static let answer = "florin sign-in answer"

    private static func bytes(of flow: UUID) -> [UInt8] { withUnsafeBytes(of: flow.uuid) { Array($0) } }
}
