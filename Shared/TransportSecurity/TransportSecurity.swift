import NIOCore
import NIOSSL

/// How connections between services are encrypted when no mesh does it.
///
/// The callee shows a certificate and the caller checks it and the name. The callee asks for none: who calls is told, and proven anew
/// with every request, by its signature.
enum TransportSecurity {
    /// Both ends are ours and of one release, so that nothing older need be spoken.
    static let minimumVersion = TLSVersion.tlsv13
    /// HTTP/2 is not served.
    static let applicationProtocols = ["http/1.1"]

    /// How long a connection that is being closed waits for the other side to say so too.
    static let shutdownTime = TimeAmount.seconds(1)

    static func serverConfiguration(chain: [NIOSSLCertificate], key: NIOSSLPrivateKey) -> TLSConfiguration {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = minimumVersion
        configuration.applicationProtocols = applicationProtocols
        configuration.shutdownTimeout = shutdownTime
        return configuration
    }

    static func clientConfiguration(authorities: [NIOSSLCertificate]) -> TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = minimumVersion
        configuration.applicationProtocols = applicationProtocols
        configuration.certificateVerification = .fullVerification
        // The fleet's own authorities only: what vouches for the rest of the world says nothing about our services.
        configuration.trustRoots = .certificates(authorities)
        return configuration
    }
}
