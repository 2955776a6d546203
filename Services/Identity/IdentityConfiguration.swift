package import APIService
import EncryptionKeys
import Fleet
import HTTPService
import Sealing
package import ServiceRuntime

/// The settings of identity; `identity config` lists them.
package struct IdentityConfiguration: APIServiceConfiguration {
    static let service = APIServiceSettings.Declaration(
        .identity, shared: ["idempotency", "outbox"], issuesTokens: true)
    static let poolSize = Setting<Int>.integer(
        "IDENTITY_POOL_SIZE", "Connections to the database.", in: 2...100, unit: "connections", default: 16)
    static let secretKeysFile = Setting<String>.path(
        "IDENTITY_SECRET_KEYS_FILE", "The keys under which TOTP secrets and signing keys are encrypted.",
        default: "/run/secrets/florin/identity-secret.keys.json")
    static let pagesDirectory = Setting<String>.path(
        "IDENTITY_PAGES_DIRECTORY", "Folder of the pages' templates, texts and stylesheet.", default: "/app/pages")
    static let sealingKeyFile = Setting<String>.path(
        "NOTIFICATION_SEALING_KEY_FILE", "Notification's public key, to which addresses and codes are sealed.",
        default: "/run/secrets/florin/notification-sealing.public.json")
    package static let defaultAdminPort = FleetService.identity.adminPort
    package static let declared: [any SettingDeclaration] =
        service.declared + CredentialSettings.declared + [poolSize, secretKeysFile, pagesDirectory, sealingKeyFile]

    package let service: APIServiceSettings
    let poolSize: Int
    let secretKeysFile: String
    let credentials: CredentialSettings
    let pagesDirectory: String
    let sealingKeyFile: String

    package init(_ values: SettingValues) throws(InvalidConfiguration) {
        service = try Self.service.settings(values)
        try Self.check(issuer: service.api.issuer, in: values[FlorinEnvironment.setting])
        poolSize = values[Self.poolSize]
        secretKeysFile = values[Self.secretKeysFile]
        credentials = CredentialSettings(values)
        pagesDirectory = values[Self.pagesDirectory]
        sealingKeyFile = values[Self.sealingKeyFile]
    }

    /// Others only compare the issuer's name; this service lives at it, and its cookies need `https`, but for a browser on the same machine.
    private static func check(issuer: String, in environment: FlorinEnvironment) throws(InvalidConfiguration) {
        guard IssuerAddress.isOrigin(issuer) else {
            throw InvalidConfiguration(
                key: "TOKEN_ISSUER",
                "is not accepted: expected an origin as browsers write it, like https://id.example: in lower case, without a path or the usual port")
        }
        guard environment != .production || issuer.hasPrefix("https://") else {
            throw InvalidConfiguration(key: "TOKEN_ISSUER", "http:// is refused in production")
        }
    }

    /// Reads the keys file.
    ///
    /// - Throws: ``InvalidConfiguration`` when it can't be used; it names no secret.
    func secretBox() throws(InvalidConfiguration) -> SecretBox {
        do {
            return SecretBox(try EncryptionKeyFile.read(secretKeysFile))
        } catch {
            throw InvalidConfiguration(key: Self.secretKeysFile.key, "can't be used: \(PlainLine.text(secretKeysFile)): \(error)")
        }
    }

    /// Reads templates, texts and stylesheet.
    ///
    /// - Throws: ``InvalidConfiguration`` naming what is missing or wrong.
    func pages() throws(InvalidConfiguration) -> PageRenderer {
        do {
            return try PageRenderer(directory: pagesDirectory, issuer: service.api.issuer)
        } catch {
            throw InvalidConfiguration(key: Self.pagesDirectory.key, "can't be used: \(PlainLine.text(pagesDirectory)): \(error)")
        }
    }

    /// Reads notification's public key.
    ///
    /// - Throws: ``InvalidConfiguration`` when it can't be used.
    func sealingKey() throws(InvalidConfiguration) -> SealingKey {
        do {
            return try SealingKey(file: sealingKeyFile)
        } catch {
            throw InvalidConfiguration(key: Self.sealingKeyFile.key, "can't be used: \(PlainLine.text(sealingKeyFile)): \(error)")
        }
    }
}
