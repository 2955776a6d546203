import AccessTokens
import Crypto
package import FoundationEssentials

/// A secret that a browser or an app keeps and shows again: 256 random bits, in base64url. Their SHA-256 is all that the database has of it.
package struct BrowserSecret: Sendable, Hashable, CustomStringConvertible, CustomReflectable {
    private static let byteCount = 32

    private let bytes: [UInt8]

    private init(bytes: [UInt8]) { self.bytes = bytes }

    /// - Parameter text: As a browser sends it; nil for what was never made here.
    package init?(_ text: some StringProtocol) {
        guard text.utf8.count <= 2 * Self.byteCount, let bytes = Base64URL.decode(Array(text.utf8)), bytes.count == Self.byteCount else {
            return nil
        }
        self.bytes = bytes
    }

    package static func random() -> BrowserSecret {
        var random = SystemRandomNumberGenerator()
        return BrowserSecret(bytes: (0..<byteCount).map { _ in UInt8.random(in: .min ... .max, using: &random) })
    }

    /// As the browser keeps it.
    package var text: String { Base64URL.encode(bytes) }
    /// As the database has it.
    package var hash: [UInt8] { Array(SHA256.hash(data: bytes)) }

    package var description: String { "browser secret" }
    package var customMirror: Mirror { Mirror(self, children: []) }

    // MARK: what is derived from it, so that it need not be stored

    /// What a page of this browser's flow posts with its form. No other browser's page has it, nor another flow's.
    package func formToken(of flow: UUID) -> String {
        Base64URL.encode(Array(HMAC<SHA256>.authenticationCode(for: Self.bytes(of: flow), using: key("form"))))
    }

    /// Compares in constant time.
    package func isFormToken(_ text: String, of flow: UUID) -> Bool {
        guard let code = Base64URL.decode(Array(text.utf8.prefix(2 * Self.byteCount))) else { return false }
        return HMAC<SHA256>.isValidAuthenticationCode(code, authenticating: Self.bytes(of: flow), using: key("form"))
    }

    /// Encrypts what only this browser can have again.
    func seal(_ text: String, of flow: UUID) throws -> [UInt8] {
        let box = try AES.GCM.seal(Array(text.utf8), using: key("answer"), authenticating: Self.bytes(of: flow))
        return Array(box.nonce) + Array(box.ciphertext) + Array(box.tag)
    }

    /// - Returns: nil for what was sealed for another browser or flow.
    func open(_ sealed: [UInt8], of flow: UUID) -> String? {
        guard let box = try? AES.GCM.SealedBox(combined: sealed),
            let bytes = try? AES.GCM.open(box, using: key("answer"), authenticating: Self.bytes(of: flow))
        else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }

    private func key(_ purpose: String) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(
            inputKeyMaterial: SymmetricKey(data: bytes), info: Array("florin sign-in \(purpose)".utf8), outputByteCount: Self.byteCount)
    }

    private static func bytes(of flow: UUID) -> [UInt8] { withUnsafeBytes(of: flow.uuid) { Array($0) } }
}
