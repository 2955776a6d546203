package import NIOSSL
import Synchronization

/// The authorities that vouch for the fleet's servers, read from a file that may be replaced while the process runs.
///
/// To replace an authority the file holds both for a while, the old one and the new.
package final class FleetAuthorities: Sendable {
    private struct State {
        var bytes: [UInt8]
        var configuration: TLSConfiguration
    }

    private let path: String
    private let state: Mutex<State>

    /// Reads the file: one or more certificates in PEM.
    ///
    /// - Throws: ``CertificateFileError``.
    package init(file path: String) throws(CertificateFileError) {
        self.path = path
        let bytes = try CertificateFile.bytes(of: path, as: .authorities)
        state = Mutex(State(bytes: bytes, configuration: try Self.configuration(bytes, path)))
    }

    /// With what the next connection is opened: TLS 1.3, the server's certificate and name verified. Connections made with another
    /// configuration are not used for it.
    package var clientConfiguration: TLSConfiguration { state.withLock { $0.configuration } }

    /// Reads the file again, and takes it over when it differs.
    ///
    /// - Returns: Whether the authorities were replaced.
    /// - Throws: ``CertificateFileError`` when the new file cannot be used; the old authorities stay, and every further look reports it again.
    package func reloadIfChanged() throws(CertificateFileError) -> Bool {
        let bytes = try CertificateFile.bytes(of: path, as: .authorities)
        guard bytes != state.withLock({ $0.bytes }) else { return false }
        let new = State(bytes: bytes, configuration: try Self.configuration(bytes, path))
        state.withLock { $0 = new }
        return true
    }

    private static func configuration(_ bytes: [UInt8], _ path: String) throws(CertificateFileError) -> TLSConfiguration {
        TransportSecurity.clientConfiguration(authorities: try CertificateFile.certificates(in: bytes, of: path, as: .authorities))
    }
}
