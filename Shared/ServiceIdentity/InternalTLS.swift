import Observability
package import ServiceRuntime
package import TransportSecurity

/// What encrypts between services: the settings of every service that is called or calls.
package struct InternalTLS: Sendable {
    package enum Mode: String, Sendable, CaseIterable {
        /// The services themselves, by certificates of the fleet's own authority.
        case own
        /// A mesh.
        case mesh
        case off
    }

    /// What ``Mode/own`` needs, read from its files.
    package struct Material: Sendable {
        package let certificate: ServerCertificate
        package let authorities: FleetAuthorities
    }

    private static let mode = Setting<Mode>.choice(
        "INTERNAL_TLS", "Who encrypts traffic between services: own (the services), mesh, off (nobody).", default: .mesh
    )
    .refusedInProduction { $0 == .off }
    private static let certificateFile = Setting<String>.path(
        "INTERNAL_TLS_CERTIFICATE_FILE", "The API's certificate and its chain, in PEM; for own only.",
        default: "/run/secrets/florin/tls.crt")
    private static let keyFile = Setting<String>.path(
        "INTERNAL_TLS_KEY_FILE", "The certificate's private key in PEM; for own only.", default: "/run/secrets/florin/tls.key")
    private static let authoritiesFile = Setting<String>.path(
        "INTERNAL_TLS_CA_FILE", "CA certificates for the servers called by https, in PEM; for own only.",
        default: "/run/secrets/florin/ca.crt")

    package static let declared: [any SettingDeclaration] = [mode, certificateFile, keyFile, authoritiesFile]

    package let mode: Mode
    private let certificateFile: String
    private let keyFile: String
    private let authoritiesFile: String

    package init(_ values: SettingValues) {
        mode = values[Self.mode]
        certificateFile = values[Self.certificateFile]
        keyFile = values[Self.keyFile]
        authoritiesFile = values[Self.authoritiesFile]
    }

    /// Reads the files when the services encrypt; nil when something else does, or nothing.
    ///
    /// - Throws: ``InvalidConfiguration`` naming the setting whose file cannot be used.
    package func load(now: Int64 = WallClock.microsecondsSinceUnixEpoch() / 1_000_000) throws(InvalidConfiguration) -> Material? {
        guard mode == .own else { return nil }
        do {
            return Material(
                certificate: try ServerCertificate(certificateFile: certificateFile, keyFile: keyFile, now: now),
                authorities: try FleetAuthorities(file: authoritiesFile))
        } catch {
            throw InvalidConfiguration(key: Self.key(of: error.file), "\(error)")
        }
    }

    private static func key(of file: CertificateFileError.File) -> String {
        switch file {
        case .certificate: certificateFile.key
        case .key: keyFile.key
        case .authorities: authoritiesFile.key
        }
    }
}
